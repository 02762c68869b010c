"""Reports: facts projected from every context, each figure open to the events behind it."""
