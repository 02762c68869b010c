"""The HTTP routes that change something in leads."""
