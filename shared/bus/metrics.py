"""What the bus tells the operator. A counter begins with its owner: of one that appears with its first count, Prometheus sees no step."""

from prometheus_client import Counter, Gauge

published = Counter("forecourt_published_total", "Public events acknowledged by Kafka.", ["context"])
publish_failures = Counter("forecourt_publish_failures_total", "Batches Kafka did not acknowledge.", ["context"])
leading = Gauge("forecourt_relay_leading", "1 where this process relays the outbox.", ["context"])
outbox_age = Gauge("forecourt_outbox_oldest_seconds", "Age of the oldest public event not yet published.", ["context"])
taken = Counter("forecourt_messages_taken_total", "Messages read, by what became of them.", ["consumer", "outcome"])
failed = Counter("forecourt_message_failures_total", "Failed tries of single messages.", ["consumer"])
parked = Gauge("forecourt_parked_messages", "Messages that are parked now.", ["consumer"])
stopped = Gauge("forecourt_consumer_stopped", "1 when a consumer stopped itself with an alarm.", ["consumer"])
lag = Gauge("forecourt_consumer_lag", "Messages not yet taken.", ["consumer", "topic", "partition"])
timers_failing = Gauge("forecourt_timers_failing", "Timers that could not be handled three times or more.", ["context"])
anchored = Gauge("forecourt_anchored_timestamp_seconds", "When the store's state was last written down outside; 0: never.", ["context"])
archive_failing = Gauge("forecourt_archive_failing", "1 while PostgreSQL cannot put its log where it is kept.", ["database"])

OUTCOMES = ("taken", "repeated", "unknown", "parked")
"""What becomes of a message."""
COUNT = 15.0
"""Seconds between two counts of what lies in the database."""


def begin_consumer(name: str) -> None:
    """Counts what a consumer does from nought."""
    for outcome in OUTCOMES:
        taken.labels(name, outcome)
    failed.labels(name)


def begin_relay(context: str) -> None:
    """Counts what a relay does from nought; it does not lead yet."""
    published.labels(context)
    publish_failures.labels(context)
    leading.labels(context)
