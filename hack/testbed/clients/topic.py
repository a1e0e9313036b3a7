"""The topic of the stack."""

from collections.abc import Mapping

from confluent_kafka import KafkaException, Message
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from confluent_kafka.cimpl import KafkaError, NewTopic
from game_kafka.reader import TopicReader

from testbed.settings import Settings

_GROUP = "local"


def ensure(settings: Settings) -> bool:
    """Create the topic if it does not exist, and configure it; false while the broker does not answer."""
    admin = AdminClient({**settings.kafka.client(), "log_level": 0, "socket.timeout.ms": 3000})
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
    """Return each partition's end offset: that of the next record, or of the first open transaction."""
    with TopicReader(settings.kafka, _GROUP, patience=10) as reader:
        return {partition: window.stop for partition, window in reader.windows().items()}


def end_offset(settings: Settings) -> int:
    """Return the sum of all partitions' end offsets: how many records were ever written, without transactions."""
    return sum(end_offsets(settings).values())


def newest(settings: Settings) -> tuple[int, str]:
    """Return the newest record's milliseconds since the epoch and its value, whichever partition it is in.

    Without any record, (-1, "").
    """
    found = (-1, "")
    with TopicReader(settings.kafka, _GROUP, patience=10) as reader:
        for partition, window in reader.windows().items():
            if record := _last(reader, partition, window):
                found = max(found, (record.timestamp()[1], (record.value() or b"").decode(errors="replace")))
    return found


def _last(reader: TopicReader, partition: int, window: range) -> Message | None:
    """Return the last record, which need not be at the last offset: Kafka uses offsets itself."""
    size = 1
    while window:
        start = max(window.start, window.stop - size)
        found = [messages[-1] for messages in reader.read(partition, range(start, window.stop))]
        if found or start == window.start:
            return found[-1] if found else None
        size *= 10
    return None
