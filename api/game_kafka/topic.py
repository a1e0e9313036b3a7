"""The topic, as the broker's administration describes it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from confluent_kafka import IsolationLevel, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec, ResourceType

from game_kafka.settings import KafkaSettings


class Description(NamedTuple):
    """`id` identifies the topic: one that is recreated under the same name gets another id."""

    id: str
    partitions: list[int]


class Topic:
    """Raises KafkaException when the broker refuses or does not answer in `timeout` seconds."""

    def __init__(self, settings: KafkaSettings, timeout: float = 10) -> None:
        self._name = settings.topic
        self._timeout = timeout
        self._admin = AdminClient({**settings.client(), "log_level": 0})

    def describe(self) -> Description:
        answer = self._admin.describe_topics(TopicCollection([self._name]), request_timeout=self._timeout)
        described = answer[self._name].result(self._timeout + 1)
        return Description(str(described.topic_id), [partition.id for partition in described.partitions])

    def ends(self, partitions: Iterable[int], *, committed: bool) -> dict[int, int]:
        """Return the end offset of each partition; with `committed`, before the first open transaction."""
        wanted = {TopicPartition(self._name, number): OffsetSpec.latest() for number in partitions}  # type: ignore[no-untyped-call]
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        found = self._admin.list_offsets(wanted, isolation_level=level, request_timeout=self._timeout)
        return {place.partition: int(end.result(self._timeout + 1).offset) for place, end in found.items()}

    def retention(self) -> timedelta | None:
        """Return how long the topic keeps each record, unless its size is limited too; None for no limit."""
        resource = ConfigResource(ResourceType.TOPIC, self._name)
        configs = self._admin.describe_configs([resource], request_timeout=self._timeout)
        milliseconds = int(configs[resource].result(self._timeout + 1)["retention.ms"].value)
        return None if milliseconds < 0 else timedelta(milliseconds=milliseconds)
