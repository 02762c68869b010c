"""The kit and three services in one thread, on a clock and under faults that one seed decides."""
