"""HTTP to commands: quotes, orders and the rules of selling."""
