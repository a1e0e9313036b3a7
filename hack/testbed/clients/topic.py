"""The topic of the stack."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from confluent_kafka.cimpl import KafkaError, NewTopic

from testbed.settings import Settings


def ensure(settings: Settings) -> bool:
    """Make the topic if it is not there, and configure it; false while the broker does not answer."""
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers, "log_level": 0, "socket.timeout.ms": 3000})
    config = configuration(settings)
    try:
        if settings.topic in admin.list_topics(timeout=2).topics:
            _configure(admin, settings.topic, config)
            return True
        topic = NewTopic(settings.topic, settings.partitions, replication_factor=1, config=config)
        admin.create_topics([topic])[settings.topic].result(timeout=10)
    except KafkaException as error:
        return bool(error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS)
    return True


def configuration(settings: Settings) -> dict[str, str]:
    return {
        "retention.ms": str(settings.retention_ms),
        # A producer may stamp a record with a time that nothing can show, or that retention never reaches.
        "message.timestamp.type": "LogAppendTime",
    }


def _configure(admin: AdminClient, topic: str, config: Mapping[str, str]) -> None:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    present = admin.describe_configs([resource], request_timeout=3)[resource].result()
    if all(present[name].value == value for name, value in config.items()):
        return
    changes = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in config.items()]
    wanted = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=changes)
    admin.incremental_alter_configs([wanted], request_timeout=3)[wanted].result()


def end_offsets(settings: Settings) -> dict[int, int]:
    """Return each partition's end offset: the first that is not read yet, of an open transaction or to come."""
    with _reader(settings) as reader:
        return {
            partition: _window(reader, settings.topic, partition).stop for partition in _partitions(reader, settings)
        }


def end_offset(settings: Settings) -> int:
    """Return the sum of all partitions' end offsets: how many records were ever written, without transactions."""
    return sum(end_offsets(settings).values())


def newest(settings: Settings) -> tuple[int, str]:
    """Return the newest record's milliseconds since the epoch and its value, whichever partition it is in.

    Without any record, (-1, "").
    """
    found = (-1, "")
    with _reader(settings) as reader:
        for partition in _partitions(reader, settings):
            if record := _last(reader, settings.topic, partition):
                found = max(found, (record.timestamp()[1], (record.value() or b"").decode(errors="replace")))
    return found


def _last(reader: Consumer, topic: str, partition: int) -> Message | None:
    """Return the last record, which need not be at the last offset: Kafka uses offsets itself."""
    window, reach = _window(reader, topic, partition), 1
    while window:
        start, found = max(window.start, window.stop - reach), None
        reader.assign([TopicPartition(topic, partition, start)])
        while (message := reader.poll(10)) is not None and not message.error():
            found = message
            if (message.offset() or 0) >= window.stop - 1:
                break
        if found or start == window.start:
            return found
        reach *= 10
    return None


def _partitions(reader: Consumer, settings: Settings) -> list[int]:
    return sorted(reader.list_topics(settings.topic, timeout=10).topics[settings.topic].partitions)


def _window(reader: Consumer, topic: str, partition: int) -> range:
    return range(*reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=10))


@contextmanager
def _reader(settings: Settings) -> Iterator[Consumer]:
    # It joins no group: `group.id` is only demanded by the client.
    reader = Consumer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "group.id": "local",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        yield reader
    finally:
        reader.close()
