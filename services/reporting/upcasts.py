"""Reporting stores no events of its own."""

from shared.events.registry import Registry

stored = Registry("reporting", {})
