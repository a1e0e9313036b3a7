"""Prints what the topic holds. Runs in a pod of the jobs' image, with their settings and rights.

`partitions`: their numbers. `window PARTITION`: its first offset, and the one after its last. `read PARTITION START
END`: a line for each record, its offset, its timestamp, and its key and value, each as `=` and Base64, or `-` for none.
"""

import base64
import sys

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.cimpl import KafkaError
from lake.settings import GROUPS, Settings

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
            "isolation.level": "read_committed",
            "queued.max.messages.kbytes": 16_384,
        }
    )
    partition, *offsets = map(int, sys.argv[2:] or ["0"])
    if sys.argv[1] == "partitions":
        print(*sorted(consumer.list_topics(settings.topic, _TIMEOUT).topics[settings.topic].partitions))
    elif sys.argv[1] == "window":
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
            print(start - 1, message.timestamp()[1], _text(message.key()), _text(message.value()))


def _text(content: bytes | None) -> str:
    return "-" if content is None else f"={base64.b64encode(content).decode()}"


if __name__ == "__main__":
    main()
