"""What finance shows: the ledger, receipts, invoices, refunds, accounts of orders, payables, cars at cost."""
