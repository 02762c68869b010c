"""What the bus tells the operator."""

from prometheus_client import Counter, Gauge

published = Counter("forecourt_published_total", "Public events acknowledged by Kafka.", ["context"])
publish_failures = Counter("forecourt_publish_failures_total", "Batches Kafka did not acknowledge.", ["context"])
leading = Gauge("forecourt_relay_leading", "1 where this process relays the outbox.", ["context"])
outbox_age = Gauge("forecourt_outbox_oldest_seconds", "Age of the oldest public event not yet published.", ["context"])
taken = Counter("forecourt_messages_taken_total", "Messages read, by what became of them.", ["consumer", "outcome"])
failed = Counter("forecourt_message_failures_total", "Failed tries of single messages.", ["consumer"])
stopped = Gauge("forecourt_consumer_stopped", "1 when a consumer stopped itself with an alarm.", ["consumer"])
lag = Gauge("forecourt_consumer_lag", "Messages not yet taken.", ["consumer", "topic", "partition"])
timers_failing = Gauge("forecourt_timers_failing", "Timers that could not be handled three times or more.", ["context"])
anchored = Gauge("forecourt_anchored_timestamp_seconds", "When the store's state was last written down outside.", ["context"])
