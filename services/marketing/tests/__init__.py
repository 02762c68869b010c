"""Marketing, by its specifications and over HTTP."""
