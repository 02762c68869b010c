"""After-sales, by its specifications and over HTTP."""
