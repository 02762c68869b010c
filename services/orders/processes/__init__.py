"""What spans contexts: from an approved order to its car."""
