"""Kafka clusters, as Strimzi's cluster operator makes them."""

import base64
import secrets

from confluent_kafka import KafkaException

from testbed.cluster.operators.standins import admin, cluster, kafka_network, kafka_pods
from testbed.cluster.operators.standins.cluster import KAFKAS, NODE_POOLS, Object
from testbed.cluster.operators.standins.conditions import READY, not_ready, status
from testbed.cluster.operators.standins.fields import Refused
from testbed.cluster.operators.standins.kafka_spec import CLUSTER, Spec, read
from testbed.cluster.operators.standins.settings import settings

_STARTING_PAUSE = 3.0
_READY_PAUSE = 10.0


def reconcile(kafka: Object) -> float:
    namespace, name = kafka["metadata"]["namespace"], kafka["metadata"]["name"]
    pools = cluster.find(NODE_POOLS, namespace, {CLUSTER: name})
    try:
        spec = read(kafka, pools, settings().kafka_version, settings().kafka_image)
        _refuse_another_number(spec)
        cluster_id = _cluster_id(kafka)
        _apply(kafka, spec, cluster_id)
    except Refused as problem:
        _say(kafka, not_ready("InvalidResourceException", str(problem)))
        return _READY_PAUSE
    _say_of_pool(pools[0], spec, cluster_id)
    waits_for = _waits_for(spec, cluster_id)
    if waits_for:
        _say(kafka, not_ready("Creating", waits_for))
        return _STARTING_PAUSE
    address = f"{spec.bootstrap}.{namespace}.svc"
    listener = {
        "name": spec.listener,
        "addresses": [{"host": address, "port": spec.port}],
        "bootstrapServers": f"{address}:{spec.port}",
    }
    _say(
        kafka,
        READY,
        listeners=[listener],
        kafkaVersion=spec.version,
        kafkaMetadataVersion=spec.metadata_version,
        kafkaNodePools=[{"name": spec.pool}],
    )
    return _READY_PAUSE


def _cluster_id(kafka: Object) -> str:
    """The cluster's id: drawn once, and kept in the status before anything is made with it."""
    if "clusterId" not in kafka.get("status", {}):
        # 127 bits: it begins with a letter, not with a dash that would be read as an option.
        drawn = base64.urlsafe_b64encode(secrets.randbits(127).to_bytes(16)).decode().rstrip("=")
        _say(kafka, not_ready("Creating", "Kafka cluster is being deployed"), clusterId=drawn)
    return str(kafka["status"]["clusterId"])


def _refuse_another_number(spec: Spec) -> None:
    there = cluster.get(cluster.STATEFUL_SETS, spec.namespace, spec.nodes)
    if there and there["spec"]["replicas"] != spec.replicas:
        raise Refused(f"the number of controllers cannot change from {there['spec']['replicas']} to {spec.replicas}")


def _apply(kafka: Object, spec: Spec, cluster_id: str) -> None:
    owner = {"ownerReferences": [cluster.owner(KAFKAS, kafka)]}
    password = f"{spec.cluster}-operator"
    if cluster.get(cluster.SECRETS, spec.namespace, password) is None:
        drawn = {"metadata": {"name": password, "labels": spec.labels} | owner}
        cluster.create(cluster.SECRETS, spec.namespace, drawn | {"stringData": {"password": secrets.token_hex(16)}})
    for resource, thing in (
        (cluster.SERVICE_ACCOUNTS, {"metadata": {"name": f"{spec.cluster}-kafka", "labels": spec.labels}}),
        (cluster.CONFIG_MAPS, kafka_pods.config_map(spec)),
        (cluster.SERVICES, kafka_network.headless_service(spec)),
        (cluster.SERVICES, kafka_network.bootstrap_service(spec)),
        (cluster.NETWORK_POLICIES, kafka_network.network_policy(spec)),
        (cluster.DISRUPTION_BUDGETS, kafka_network.disruption_budget(spec)),
        (cluster.STATEFUL_SETS, kafka_pods.stateful_set(spec, cluster_id)),
    ):
        try:
            cluster.apply(resource, spec.namespace, {**thing, "metadata": thing["metadata"] | owner})
        except cluster.ApiError as error:
            # Of a StatefulSet the volumes, for instance, cannot be changed.
            if error.code == 422:
                raise Refused(str(error)) from error
            raise


def _waits_for(spec: Spec, cluster_id: str) -> str:
    """What is missing until the cluster is ready; empty if nothing is."""
    nodes = cluster.get(cluster.STATEFUL_SETS, spec.namespace, spec.nodes) or {"metadata": {}}
    state = nodes.get("status", {})
    if state.get("observedGeneration") != nodes["metadata"].get("generation"):
        return "the pods are being made"
    updated, ready = state.get("updatedReplicas", 0), state.get("readyReplicas", 0)
    if min(updated, ready) < spec.replicas:
        return f"of {spec.replicas} pods {updated} are as asked for and {ready} are ready"
    try:
        found = admin.client(spec.namespace, spec.cluster).list_topics(timeout=10)
    except KafkaException as error:
        return f"the brokers do not answer: {admin.problem(error)}"
    if found.cluster_id != cluster_id:
        return f"the brokers say that their cluster is {found.cluster_id}, not {cluster_id}"
    return "" if len(found.brokers) == spec.replicas else f"{len(found.brokers)} of {spec.replicas} brokers are there"


def _say(kafka: Object, condition: dict[str, str], **fields: object) -> None:
    cluster.set_status(KAFKAS, kafka, status(kafka, condition, **fields))


def _say_of_pool(pool: Object, spec: Spec, cluster_id: str) -> None:
    selector = spec.selector | {"strimzi.io/pool-name": spec.pool}
    said = {
        "observedGeneration": pool["metadata"]["generation"],
        "nodeIds": list(range(spec.replicas)),
        "clusterId": cluster_id,
        "roles": ["controller", "broker"],
        "replicas": spec.replicas,
        "labelSelector": ",".join(f"{name}={value}" for name, value in selector.items()),
    }
    cluster.set_status(NODE_POOLS, pool, said)
