"""Other event stores and an ERP, as their users would run them; each in an environment of its own."""
