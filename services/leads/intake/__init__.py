"""Leads that others send: their formats, read strictly where it matters and leniently elsewhere."""
