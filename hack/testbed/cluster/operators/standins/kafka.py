"""Kafka clusters, as Strimzi's cluster operator creates them."""

import base64
import secrets

from confluent_kafka import KafkaException

from testbed.cluster.operators.standins import admin, cluster, kafka_certificates, kafka_network, kafka_pods
from testbed.cluster.operators.standins.cluster import KAFKAS, NODE_POOLS, Object
from testbed.cluster.operators.standins.conditions import READY, is_ready, not_ready, status
from testbed.cluster.operators.standins.fields import Refused
from testbed.cluster.operators.standins.kafka_spec import Spec, read
from testbed.cluster.operators.standins.node_pool import CLUSTER, Pool
from testbed.cluster.operators.standins.settings import settings

_STARTING_PAUSE = 3.0
_READY_PAUSE = 10.0


def reconcile(kafka: Object) -> float:
    namespace, name = kafka["metadata"]["namespace"], kafka["metadata"]["name"]
    pools = cluster.find(NODE_POOLS, namespace, {CLUSTER: name})
    try:
        spec = read(kafka, pools, settings().kafka_version, settings().kafka_image)
        _refuse_fewer_brokers(spec)
        cluster_id = _cluster_id(kafka)
        _apply(kafka, spec, cluster_id)
    except Refused as problem:
        _report(kafka, not_ready("InvalidResourceException", str(problem)))
        return _READY_PAUSE
    for pool in spec.pools:
        _report_pool(next(one for one in pools if one["metadata"]["name"] == pool.name), spec, pool, cluster_id)
    reason = _not_ready(spec, cluster_id)
    if reason:
        # As with Strimzi, a cluster that was ready stays so while its pods are replaced.
        if not is_ready(kafka):
            _report(kafka, not_ready("Creating", reason))
        return _STARTING_PAUSE
    address = f"{spec.bootstrap}.{namespace}.svc"
    listeners = [
        {
            "name": one.name,
            "addresses": [{"host": address, "port": one.port}],
            "bootstrapServers": f"{address}:{one.port}",
        }
        for one in spec.listeners
    ]
    _report(
        kafka,
        READY,
        listeners=listeners,
        kafkaVersion=spec.version,
        kafkaMetadataVersion=spec.metadata_version,
        kafkaNodePools=[{"name": pool.name} for pool in spec.pools],
    )
    return _READY_PAUSE


def _cluster_id(kafka: Object) -> str:
    """Return the cluster's id, which is drawn once and stored in the status before anything uses it."""
    if "clusterId" not in kafka.get("status", {}):
        # 127 bits: the id starts with a letter, never with a dash, which would be parsed as an option.
        drawn = base64.urlsafe_b64encode(secrets.randbits(127).to_bytes(16)).decode().rstrip("=")
        _report(kafka, not_ready("Creating", "Kafka cluster is being deployed"), clusterId=drawn)
    return str(kafka["status"]["clusterId"])


def _refuse_fewer_brokers(spec: Spec) -> None:
    """Refuse to remove brokers that have copies of partitions."""
    sets = [(pool, cluster.get(cluster.STATEFUL_SETS, spec.namespace, pool.nodes)) for pool in spec.pools]
    if all(found is None or found["spec"]["replicas"] <= pool.replicas for pool, found in sets if pool.is_broker):
        return
    try:
        topics = admin.client(spec.namespace, spec.cluster).list_topics(timeout=10).topics.values()
    except KafkaException as error:
        raise Refused(f"the brokers do not answer: {admin.problem(error)}") from error
    used = {broker for topic in topics for partition in topic.partitions.values() for broker in partition.replicas}
    if missing := sorted(used - spec.broker_ids):
        raise Refused(f"Cannot scale down brokers {missing} because {missing} have assigned partition-replicas")


def _apply(kafka: Object, spec: Spec, cluster_id: str) -> None:
    owner = {"ownerReferences": [cluster.owner(KAFKAS, kafka)]}
    password = f"{spec.cluster}-operator"
    if cluster.get(cluster.SECRETS, spec.namespace, password) is None:
        drawn = {"metadata": {"name": password, "labels": spec.labels} | owner}
        cluster.create(cluster.SECRETS, spec.namespace, drawn | {"stringData": {"password": secrets.token_hex(16)}})
    certificate = kafka_certificates.ensure(spec, owner)
    for resource, thing in (
        (cluster.SERVICE_ACCOUNTS, {"metadata": {"name": f"{spec.cluster}-kafka", "labels": spec.labels}}),
        (cluster.CONFIG_MAPS, kafka_pods.config_map(spec)),
        (cluster.SERVICES, kafka_network.headless_service(spec)),
        (cluster.SERVICES, kafka_network.bootstrap_service(spec)),
        (cluster.NETWORK_POLICIES, kafka_network.network_policy(spec)),
        (cluster.DISRUPTION_BUDGETS, kafka_network.disruption_budget(spec)),
        *((cluster.STATEFUL_SETS, kafka_pods.stateful_set(spec, pool, cluster_id, certificate)) for pool in spec.pools),
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
    for pool in spec.pools:
        nodes = cluster.get(cluster.STATEFUL_SETS, spec.namespace, pool.nodes) or {"metadata": {}}
        state = nodes.get("status", {})
        if state.get("observedGeneration") != nodes["metadata"].get("generation"):
            return f"pool {pool.name}: the pods are being created"
        updated, ready = state.get("updatedReplicas", 0), state.get("readyReplicas", 0)
        if min(updated, ready) < pool.replicas:
            return f"pool {pool.name}: {updated} of {pool.replicas} pods are up to date, {ready} are ready"
    try:
        found = admin.client(spec.namespace, spec.cluster).list_topics(timeout=10)
    except KafkaException as error:
        return f"the brokers do not answer: {admin.problem(error)}"
    if found.cluster_id != cluster_id:
        return f"cluster id of the brokers: expected {cluster_id}, got {found.cluster_id}"
    missing = sorted(spec.broker_ids - found.brokers.keys())
    return f"brokers {missing} are not registered" if missing else ""


def _report(kafka: Object, condition: dict[str, str], **fields: object) -> None:
    cluster.set_status(KAFKAS, kafka, status(kafka, condition, **fields))


def _report_pool(resource: Object, spec: Spec, pool: Pool, cluster_id: str) -> None:
    selector = spec.selector | {"strimzi.io/pool-name": pool.name}
    reported = {
        "observedGeneration": resource["metadata"]["generation"],
        "nodeIds": list(pool.ids),
        "clusterId": cluster_id,
        "roles": pool.roles,
        "replicas": pool.replicas,
        "labelSelector": ",".join(f"{name}={value}" for name, value in selector.items()),
    }
    cluster.set_status(NODE_POOLS, resource, reported)
