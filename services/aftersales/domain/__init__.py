"""What the workshop knows and allows."""
