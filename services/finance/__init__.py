"""Finance: customers' money, suppliers' payables, invoices and the double-entry books of each legal entity."""
