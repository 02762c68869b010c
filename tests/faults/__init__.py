"""What must not be lost when a process dies."""
