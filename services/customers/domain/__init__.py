"""What a customer's record is, and what may be done with it."""
