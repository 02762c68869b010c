"""Between contexts: public events over Kafka, at least once out, exactly once in."""
