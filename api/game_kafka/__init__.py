"""Access to Kafka: the clients' settings, the topic, and a reader that joins no group."""
