"""What holds whatever is asked, in whatever order."""
