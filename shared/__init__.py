"""The kit: what every service stands on."""
