"""Specs of reporting."""
