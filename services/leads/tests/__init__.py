"""The tests of leads."""
