"""What service advisers do, over HTTP."""
