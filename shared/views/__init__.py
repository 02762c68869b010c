"""Read models: a table named and versioned in its file, and what makes its rows."""
