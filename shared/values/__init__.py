"""Values every context shares: money, ids, VINs, phones, days and working hours. Pure: nothing here reads a database."""
