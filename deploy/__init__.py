"""How Forecourt is started: on a laptop, in containers, for a demo."""
