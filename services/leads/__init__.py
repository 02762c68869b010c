"""Leads: a person's interest in a car, from the first touch to a won or lost opportunity."""
