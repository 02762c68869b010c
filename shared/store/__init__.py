"""The event store: one append transaction, whatever else must be true with it."""
