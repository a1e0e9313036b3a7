"""The audit: the players' ledger, Kafka, the table and its views, compared event by event."""
