"""Tests of the HTTP kit, by the number of the attack they hold off where it has one."""
