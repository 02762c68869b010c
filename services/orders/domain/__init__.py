"""What a quote, an order and the rules of selling allow; pure."""
