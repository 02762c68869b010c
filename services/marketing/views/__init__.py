"""What marketing shows: campaigns, plan against actual."""
