"""Inventory: the catalogue, the cars in stock, who holds them, and their way between stores."""
