"""Forecourt in containers, on one server."""
