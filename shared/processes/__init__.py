"""Processes are deciders whose commands are timers due at once; this package fires timers."""
