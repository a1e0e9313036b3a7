"""The topic of the stack."""

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import KafkaError, NewTopic

from local.settings import Settings


def ensure(settings: Settings) -> bool:
    """Make the topic if it is not there; false while the broker does not answer."""
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers, "log_level": 0, "socket.timeout.ms": 3000})
    topic = NewTopic(
        settings.topic, settings.partitions, replication_factor=1, config={"retention.ms": str(settings.retention_ms)}
    )
    try:
        if settings.topic in admin.list_topics(timeout=2).topics:
            return True
        admin.create_topics([topic])[settings.topic].result(timeout=10)
    except KafkaException as error:
        return bool(error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS)
    return True
