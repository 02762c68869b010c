"""Quotes, orders and what becomes of them until the keys are handed over."""
