"""The topic of the stack."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from confluent_kafka.cimpl import KafkaError, NewTopic

from local.settings import Settings


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
    changes = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in config.items()
    ]
    wanted = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=changes)
    admin.incremental_alter_configs([wanted], request_timeout=3)[wanted].result()


def end_offsets(settings: Settings) -> dict[int, int]:
    """Return each partition's end offset."""
    with _reader(settings) as reader:
        return {partition: _end(reader, settings.topic, partition) for partition in range(settings.partitions)}


def end_offset(settings: Settings) -> int:
    """Return the sum of all partitions' end offsets: how many records were ever written."""
    return sum(end_offsets(settings).values())


def newest(settings: Settings) -> tuple[int, str]:
    """Return the newest record's milliseconds since the epoch and its value, whichever partition it is in.

    Without any record, (-1, "").
    """
    found = (-1, "")
    with _reader(settings) as reader:
        for partition in range(settings.partitions):
            end = _end(reader, settings.topic, partition)
            if not end:
                continue
            reader.assign([TopicPartition(settings.topic, partition, end - 1)])
            record = reader.poll(10)
            if record is not None and not record.error():
                found = max(found, (record.timestamp()[1], (record.value() or b"").decode(errors="replace")))
    return found


def _end(reader: Consumer, topic: str, partition: int) -> int:
    return int(reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1])


@contextmanager
def _reader(settings: Settings) -> Iterator[Consumer]:
    # It joins no group: `group.id` is only demanded by the client.
    reader = Consumer(
        {"bootstrap.servers": settings.bootstrap_servers, "group.id": "local", "enable.auto.commit": False}
    )
    try:
        yield reader
    finally:
        reader.close()
