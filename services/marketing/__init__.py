"""Marketing: campaigns planned, approved, paid for and measured."""
