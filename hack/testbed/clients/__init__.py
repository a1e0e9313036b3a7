"""Clients of the running servers: Trino, Kafka, HDFS and the stream's metrics."""
