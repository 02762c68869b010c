"""Specs of the gateway."""
