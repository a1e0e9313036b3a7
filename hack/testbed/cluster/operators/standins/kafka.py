"""Kafka clusters, as Strimzi's cluster operator creates them."""

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
        _refuse_other_replicas(spec)
        cluster_id = _cluster_id(kafka)
        _apply(kafka, spec, cluster_id)
    except Refused as problem:
        _report(kafka, not_ready("InvalidResourceException", str(problem)))
        return _READY_PAUSE
    _report_pool(pools[0], spec, cluster_id)
    reason = _not_ready(spec, cluster_id)
    if reason:
        _report(kafka, not_ready("Creating", reason))
        return _STARTING_PAUSE
    address = f"{spec.bootstrap}.{namespace}.svc"
    listener = {
        "name": spec.listener,
        "addresses": [{"host": address, "port": spec.port}],
        "bootstrapServers": f"{address}:{spec.port}",
    }
    _report(
        kafka,
        READY,
        listeners=[listener],
        kafkaVersion=spec.version,
        kafkaMetadataVersion=spec.metadata_version,
        kafkaNodePools=[{"name": spec.pool}],
    )
    return _READY_PAUSE


def _cluster_id(kafka: Object) -> str:
    """Return the cluster's id, which is drawn once and stored in the status before anything uses it."""
    if "clusterId" not in kafka.get("status", {}):
        # 127 bits: the id starts with a letter, never with a dash, which would be parsed as an option.
        drawn = base64.urlsafe_b64encode(secrets.randbits(127).to_bytes(16)).decode().rstrip("=")
        _report(kafka, not_ready("Creating", "Kafka cluster is being deployed"), clusterId=drawn)
    return str(kafka["status"]["clusterId"])


def _refuse_other_replicas(spec: Spec) -> None:
    nodes = cluster.get(cluster.STATEFUL_SETS, spec.namespace, spec.nodes)
    if nodes and nodes["spec"]["replicas"] != spec.replicas:
        raise Refused(f"the number of controllers cannot change from {nodes['spec']['replicas']} to {spec.replicas}")


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
            # Some fields are immutable, the volumes of a StatefulSet for instance.
            if error.code == 422:
                raise Refused(str(error)) from error
            raise


def _not_ready(spec: Spec, cluster_id: str) -> str:
    """Return why the cluster is not ready; empty if it is."""
    nodes = cluster.get(cluster.STATEFUL_SETS, spec.namespace, spec.nodes) or {"metadata": {}}
    state = nodes.get("status", {})
    if state.get("observedGeneration") != nodes["metadata"].get("generation"):
        return "the pods are being created"
    updated, ready = state.get("updatedReplicas", 0), state.get("readyReplicas", 0)
    if min(updated, ready) < spec.replicas:
        return f"{updated} of {spec.replicas} pods are up to date, {ready} are ready"
    try:
        found = admin.client(spec.namespace, spec.cluster).list_topics(timeout=10)
    except KafkaException as error:
        return f"the brokers do not answer: {admin.problem(error)}"
    if found.cluster_id != cluster_id:
        return f"cluster id of the brokers: expected {cluster_id}, got {found.cluster_id}"
    brokers = len(found.brokers)
    return "" if brokers == spec.replicas else f"{brokers} of {spec.replicas} brokers are registered"


def _report(kafka: Object, condition: dict[str, str], **fields: object) -> None:
    cluster.set_status(KAFKAS, kafka, status(kafka, condition, **fields))


def _report_pool(pool: Object, spec: Spec, cluster_id: str) -> None:
    selector = spec.selector | {"strimzi.io/pool-name": spec.pool}
    reported = {
        "observedGeneration": pool["metadata"]["generation"],
        "nodeIds": list(range(spec.replicas)),
        "clusterId": cluster_id,
        "roles": ["controller", "broker"],
        "replicas": spec.replicas,
        "labelSelector": ",".join(f"{name}={value}" for name, value in selector.items()),
    }
    cluster.set_status(NODE_POOLS, pool, reported)
