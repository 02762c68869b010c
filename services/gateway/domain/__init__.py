"""Users, stores, legal entities, shifts, authorities, sessions."""
