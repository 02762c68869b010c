"""Read models of quotes, orders and their fulfilment."""
