"""PostgreSQL, Kafka, Redis and the nine services as plain processes of one machine: no Docker, Java or root."""
