"""The whole platform under load while its processes die, freeze and lose sight of each other: `make chaos`."""
