"""Clients of the running servers: Trino, Kafka, HDFS and the metrics of the stream."""
