"""Reads the topic's metadata from the brokers, as the user that may write the topic."""

import os

from confluent_kafka.admin import AdminClient

name, partitions = os.environ["TOPIC"], int(os.environ["PARTITIONS"])
client = AdminClient(
    {
        "bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"],
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": "/kafka/ca.crt",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": os.environ["USERNAME"],
        "sasl.password": os.environ["PASSWORD"],
    }
)
topic = client.list_topics(name, timeout=60).topics[name]
if topic.error:
    raise SystemExit(f"topic {name}: {topic.error.str()}")
without_leader = [partition for partition, state in topic.partitions.items() if state.leader < 0]
if without_leader or len(topic.partitions) != partitions:
    raise SystemExit(f"topic {name}: {len(topic.partitions)} partitions, without leader: {without_leader}")
print(f"topic {name}: {partitions} partitions, all with a leader")
