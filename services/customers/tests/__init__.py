"""Customers, tried."""
