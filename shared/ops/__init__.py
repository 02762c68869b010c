"""What runs a service well: settings, logs, metrics, health."""
