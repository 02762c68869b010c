"""The read models of leads: one file each, with its table, its fold and its routes."""
