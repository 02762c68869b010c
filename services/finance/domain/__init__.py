"""What the books know and allow."""
