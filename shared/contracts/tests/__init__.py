"""Specs of the published language."""
