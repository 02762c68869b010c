"""Tests of the whole platform, through the gateway, on real servers."""
