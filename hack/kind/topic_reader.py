"""Prints what the topic holds. Runs in a pod of the jobs' image, with their settings and rights.

`window PARTITION`: its first offset, and the one after its last. `read PARTITION START END`: a line for each record,
its offset and its value in Base64, the latter missing where there is none.
"""

import base64
import sys

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.cimpl import KafkaError
from settings import GROUPS, Settings

_TIMEOUT = 30
"""Seconds for one answer of the broker."""


def main() -> None:
    settings = Settings.from_environment()
    consumer = Consumer(
        {
            **settings.kafka_client(),
            # It joins no group: the name is only demanded by the client.
            "group.id": f"{GROUPS}topic-reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": 16_384,
        }
    )
    partition, *offsets = map(int, sys.argv[2:])
    if sys.argv[1] == "window":
        print(*consumer.get_watermark_offsets(TopicPartition(settings.topic, partition), _TIMEOUT))
    else:
        _read(consumer, settings.topic, partition, *offsets)
    consumer.close()


def _read(consumer: Consumer, topic: str, partition: int, start: int, end: int) -> None:
    consumer.assign([TopicPartition(topic, partition, start)])
    while start < end:
        message = consumer.poll(_TIMEOUT)
        if message is None:
            raise SystemExit(f"Kafka sent nothing of partition {partition} for {_TIMEOUT} s")
        if error := message.error():
            if error.code() == KafkaError._PARTITION_EOF:
                return
            raise KafkaException(error)
        start = (message.offset() or 0) + 1
        if start <= end:
            value = message.value()
            print(start - 1, *([] if value is None else [base64.b64encode(value).decode()]))


if __name__ == "__main__":
    main()
