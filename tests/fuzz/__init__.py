"""Thousands of requests that nobody would send, from four kinds of people: no answer is a fault, and none is undocumented."""
