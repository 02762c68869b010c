"""Other event stores, as their users would run them, in an environment of their own."""
