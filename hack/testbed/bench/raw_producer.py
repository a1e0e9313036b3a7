"""The upper limit: a raw confluent-kafka producer loop over pre-encoded values, with the API's producer settings.

It runs as a process of its own: `python -m testbed.bench.raw_producer BOOTSTRAP_SERVERS TOPIC EVENTS` prints JSON. Its
delivery callbacks only count.
"""

import json
import sys
import time
from itertools import cycle, islice

from confluent_kafka import KafkaError, Message, Producer
from game_api.settings import Settings
from game_kafka.settings import KafkaSettings

from testbed.bench import traffic

DISTINCT = 10_000


class Tally:
    def __init__(self) -> None:
        self.acked = 0
        self.failed = 0

    def count(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.acked += 1
        else:
            self.failed += 1


def main() -> None:
    bootstrap_servers, topic, events = sys.argv[1:]
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=bootstrap_servers, topic=topic))
    values = list(traffic.records(DISTINCT))
    producer = Producer(settings.producer_options())
    producer.list_topics(topic, timeout=10)
    tally = Tally()
    began, began_cpu = time.monotonic(), time.process_time()
    for key, value in islice(cycle(values), int(events)):
        while True:
            try:
                producer.produce(topic, value, key, on_delivery=tally.count)
                break
            except BufferError:
                producer.poll(0.01)
        producer.poll(0)
    left = producer.flush(10)
    seconds, cpu = time.monotonic() - began, time.process_time() - began_cpu
    failed = tally.failed + left
    print(json.dumps({"acked": tally.acked, "failed": failed, "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main()
