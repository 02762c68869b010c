"""Identity, and the one door to all services."""
