"""Reads a Kafka resource and its node pools, and refuses what the stand-in does not support."""

import re
from dataclasses import dataclass

from testbed.cluster.operators.standins.cluster import Object
from testbed.cluster.operators.standins.fields import Refused, refuse_all_but
from testbed.cluster.operators.standins.node_pool import CLUSTER, NODE, Pool, labels, read_pools

_KAFKA = [
    *(f"kafka.{field}" for field in (*NODE, "version", "metadataVersion", "image", "config", "authorization.type")),
    *(f"kafka.listeners.{field}" for field in ("name", "port", "type", "tls", "networkPolicyPeers")),
    "kafka.listeners.authentication.type",
    "kafka.rack.topologyKey",
    "kafka.template.podDisruptionBudget.maxUnavailable",
    "entityOperator",
]

# Prefixes of properties that Strimzi sets itself; it drops these with a warning.
_OWN_CONFIG = (
    *("listener", "advertised.", "inter.broker.listener.name", "host.name", "port", "sasl.", "ssl.", "security."),
    *("authorizer.", "super.user", "password.", "config.providers", "log.dir", "metadata.log.dir"),
    *("process.roles", "node.id", "broker.", "controller."),
)

RACKS = {
    # The scheduler copies these two labels of the node to the pod.
    "topology.kubernetes.io/zone": "metadata.labels['topology.kubernetes.io/zone']",
    "topology.kubernetes.io/region": "metadata.labels['topology.kubernetes.io/region']",
    "kubernetes.io/hostname": "spec.nodeName",
}
"""Where a pod finds the value of its node's label."""


@dataclass(frozen=True)
class Listener:
    name: str
    port: int
    tls: bool
    peers: list[Object]

    @property
    def title(self) -> str:
        """The listener's name in Kafka's properties."""
        return f"{self.name.upper()}-{self.port}"


@dataclass(frozen=True)
class Spec:
    """The specs of all resources."""

    namespace: str
    cluster: str
    pools: list[Pool]
    listeners: list[Listener]
    version: str
    metadata_version: str
    image: str
    config: dict[str, str]
    rack: str
    evictable: int
    """How many pods of the cluster may be evicted at a time."""

    @property
    def labels(self) -> dict[str, str]:
        return labels(self.cluster)

    @property
    def brokers(self) -> str:
        """The name of the headless Service."""
        return f"{self.cluster}-kafka-brokers"

    @property
    def bootstrap(self) -> str:
        return f"{self.cluster}-kafka-bootstrap"

    @property
    def replicas(self) -> int:
        return sum(pool.replicas for pool in self.pools)

    @property
    def broker_ids(self) -> set[int]:
        return {number for pool in self.pools if pool.is_broker for number in pool.ids}

    @property
    def has_tls(self) -> bool:
        return any(listener.tls for listener in self.listeners)

    @property
    def selector(self) -> dict[str, str]:
        return {CLUSTER: self.cluster, "strimzi.io/kind": "Kafka", "strimzi.io/name": f"{self.cluster}-kafka"}

    @property
    def broker_selector(self) -> dict[str, str]:
        return self.selector | {"strimzi.io/broker-role": "true"}


def read(kafka: Object, pools: list[Object], version: str, default_image: str) -> Spec:
    """Read all resources, or refuse them; `version` is that of Kafka in the image."""
    refuse_all_but(_KAFKA, kafka["spec"])
    wanted = kafka["spec"]["kafka"]
    _check_versions(wanted, version)
    if wanted.get("authorization") != {"type": "simple"}:
        raise Refused("the stand-in supports spec.kafka.authorization of type simple only")
    rack = wanted.get("rack", {}).get("topologyKey", "")
    if rack and rack not in RACKS:
        raise Refused(f"the stand-in supports spec.kafka.rack.topologyKey {', '.join(RACKS)} only")
    return Spec(
        namespace=kafka["metadata"]["namespace"],
        cluster=kafka["metadata"]["name"],
        pools=read_pools(kafka, pools),
        listeners=_listeners(wanted["listeners"]),
        version=version,
        metadata_version=wanted.get("metadataVersion", _minor(version)),
        image=wanted.get("image") or default_image,
        config=_config(wanted.get("config", {})),
        rack=rack,
        evictable=wanted.get("template", {}).get("podDisruptionBudget", {}).get("maxUnavailable", 1),
    )


def _check_versions(wanted: Object, version: str) -> None:
    if wanted.get("version", version) != version:
        raise Refused(f"Unsupported Kafka.spec.kafka.version: {wanted['version']}. Supported versions are: [{version}]")
    metadata = wanted.get("metadataVersion", _minor(version))
    if not re.fullmatch(rf"{re.escape(_minor(version))}(-IV\d+)?", metadata):
        raise Refused(f"the stand-in formats volumes with metadata of version {_minor(version)}, not {metadata}")


def _listeners(wanted: list[Object]) -> list[Listener]:
    found = [_listener(one) for one in wanted]
    for values in ([one.name for one in found], [one.port for one in found]):
        if len(values) != len(set(values)):
            raise Refused("every listener needs to have a unique name and port")
    return found


def _listener(wanted: Object) -> Listener:
    if wanted["type"] != "internal" or wanted.get("authentication") != {"type": "scram-sha-512"}:
        raise Refused("the stand-in supports internal listeners with authentication scram-sha-512 only")
    if wanted["port"] < 9092 or wanted["port"] in (9404, 9999):
        raise Refused(f"port {wanted['port']} is forbidden and cannot be used")
    return Listener(wanted["name"], wanted["port"], wanted["tls"], wanted.get("networkPolicyPeers", []))


def _config(wanted: Object) -> dict[str, str]:
    if own := sorted(name for name in wanted if name.startswith(_OWN_CONFIG)):
        raise Refused(f"spec.kafka.config must not set the operator's own properties: {', '.join(own)}")
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in wanted.items()}


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
