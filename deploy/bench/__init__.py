"""What the kit costs, beside hand-written loops and its peers, in one run on the same servers."""
