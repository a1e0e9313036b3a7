"""Topics, as Strimzi's topic operator creates them."""

from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourceType,
    TopicDescription,
)

from testbed.cluster.operators.standins import cluster
from testbed.cluster.operators.standins.admin import NoBroker, client, entity_operator, problem
from testbed.cluster.operators.standins.cluster import TOPICS, Object
from testbed.cluster.operators.standins.conditions import READY, status
from testbed.cluster.operators.standins.fields import Refused
from testbed.cluster.operators.standins.node_pool import CLUSTER

_FINALIZER = "strimzi.io/topic-operator"
_PAUSE = 20.0
_FAILED_PAUSE = 3.0


def reconcile(topic: Object) -> float:
    metadata = topic["metadata"]
    operator = entity_operator(metadata["namespace"], metadata.get("labels", {}).get(CLUSTER, ""), "topicOperator")
    if operator is None:
        return _FAILED_PAUSE
    if not _is_managed(topic):
        cluster.set_status(TOPICS, topic, status(topic, {"type": "Unmanaged", "status": "True"}))
        return _PAUSE
    finalizers = metadata.get("finalizers", [])
    if "deletionTimestamp" in metadata:
        if _FINALIZER in finalizers:
            forget(topic)
            cluster.set_finalizers(TOPICS, topic, [one for one in finalizers if one != _FINALIZER])
        return _PAUSE
    if _uses_finalizers(operator) and _FINALIZER not in finalizers:
        cluster.set_finalizers(TOPICS, topic, [*finalizers, _FINALIZER])
    try:
        found = _apply(topic)
    except Refused as refused:
        return _report_failure(topic, "NotSupported", str(refused))
    except (KafkaException, NoBroker) as error:
        return _report_failure(topic, "KafkaError", problem(error))
    cluster.set_status(TOPICS, topic, status(topic, READY, topicName=found.name, topicId=str(found.topic_id)))
    return _PAUSE


def forget(topic: Object) -> None:
    """Delete the topic of a resource that is gone, unless the cluster is gone, too."""
    metadata = topic["metadata"]
    name = metadata.get("labels", {}).get(CLUSTER, "")
    if not _is_managed(topic) or entity_operator(metadata["namespace"], name, "topicOperator") is None:
        return
    kafka = client(metadata["namespace"], name)
    if _find(kafka, _name(topic)):
        kafka.delete_topics([_name(topic)])[_name(topic)].result()


def _is_managed(topic: Object) -> bool:
    annotations = topic["metadata"].get("annotations") or {}
    return bool(annotations.get("strimzi.io/managed") != "false")


def _uses_finalizers(operator: Object) -> bool:
    container = operator.get("template", {}).get("topicOperatorContainer", {})
    return {"name": "STRIMZI_USE_FINALIZERS", "value": "false"} not in container.get("env", [])


def _name(topic: Object) -> str:
    return str(topic["spec"].get("topicName") or topic["metadata"]["name"])


def _apply(topic: Object) -> TopicDescription:
    return create_or_update(client(topic["metadata"]["namespace"], topic["metadata"]["labels"][CLUSTER]), topic)


def create_or_update(kafka: AdminClient, topic: Object) -> TopicDescription:
    """Make Kafka's topic like the resource, or raise Refused; as with Strimzi, the rest has then changed already."""
    spec, name = topic["spec"], _name(topic)
    config = {key: _text(value) for key, value in (spec.get("config") or {}).items()}
    found = _find(kafka, name)
    if found is None:
        new = NewTopic(name, spec.get("partitions", -1), spec.get("replicas", -1), config=config)
        kafka.create_topics([new])[name].result()
    else:
        _set_config(kafka, name, config)
        _set_partitions(kafka, spec, found)
        _check_replicas(spec, found)
    created = _find(kafka, name)
    if created is None:
        # The broker that answered does not have its metadata yet.
        raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
    return created


def _find(kafka: AdminClient, name: str) -> TopicDescription | None:
    try:
        found: TopicDescription = kafka.describe_topics(TopicCollection([name]))[name].result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return None
        raise
    return found


def _check_replicas(spec: Object, found: TopicDescription) -> None:
    other = [one.id for one in found.partitions if len(one.replicas) != spec.get("replicas", len(one.replicas))]
    if other:
        raise Refused(f"Replication factor change not supported, but required for partitions {other}")


def _set_partitions(kafka: AdminClient, spec: Object, found: TopicDescription) -> None:
    current, wanted = len(found.partitions), spec.get("partitions", len(found.partitions))
    if wanted < current:
        raise Refused("Decreasing partitions not supported")
    if wanted > current:
        kafka.create_partitions([NewPartitions(found.name, wanted)])[found.name].result()


def _set_config(kafka: AdminClient, name: str, config: dict[str, str]) -> None:
    resource = ConfigResource(ResourceType.TOPIC, name)
    [described] = kafka.describe_configs([resource]).values()
    entries = described.result()
    own = ConfigSource.DYNAMIC_TOPIC_CONFIG
    current = {key: entry.value for key, entry in entries.items() if ConfigSource(entry.source) is own}
    changes = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        for key, value in config.items()
        if current.get(key) != value
    ]
    changes += [
        ConfigEntry(key, None, incremental_operation=AlterConfigOpType.DELETE) for key in current.keys() - config.keys()
    ]
    if changes:
        changed = ConfigResource(ResourceType.TOPIC, name, incremental_configs=changes)
        [altered] = kafka.incremental_alter_configs([changed]).values()
        altered.result()


def _text(value: Any) -> str:  # noqa: ANN401 any JSON
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _report_failure(topic: Object, reason: str, message: str) -> float:
    condition = {"type": "Ready", "status": "False", "reason": reason, "message": message}
    cluster.set_status(TOPICS, topic, status(topic, condition))
    return _FAILED_PAUSE
