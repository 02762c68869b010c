"""Events: what surrounds them, how they are stored, how persons are kept private."""
