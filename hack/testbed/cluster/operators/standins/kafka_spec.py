"""Reads a Kafka resource and its node pool, and refuses what the stand-in does not support."""

import re
from dataclasses import dataclass

from testbed.cluster.operators.standins.cluster import Object
from testbed.cluster.operators.standins.fields import Refused, refuse_all_but

CLUSTER = "strimzi.io/cluster"

_POD = ["metadata", "imagePullSecrets", "securityContext", "terminationGracePeriodSeconds", "affinity", "tolerations"]
_NODE = [
    *(f"template.pod.{field}" for field in (*_POD, "topologySpreadConstraints", "priorityClassName", "hostAliases")),
    "template.kafkaContainer.securityContext",
    "template.kafkaContainer.env",
    "resources",
    "jvmOptions.-Xms",
    "jvmOptions.-Xmx",
]
_KAFKA = [
    *(f"kafka.{field}" for field in (*_NODE, "version", "metadataVersion", "image", "config", "authorization.type")),
    *(f"kafka.listeners.{field}" for field in ("name", "port", "type", "tls", "networkPolicyPeers")),
    "kafka.listeners.authentication.type",
    "entityOperator",
]
_STORAGE = ["type", *(f"volumes.{field}" for field in ("id", "type", "size", "class", "deleteClaim", "kraftMetadata"))]
_POOL = [*_NODE, "replicas", "roles", *(f"storage.{field}" for field in _STORAGE)]

# Prefixes of properties that Strimzi sets itself; it drops these with a warning.
_OWN_CONFIG = (
    *("listener", "advertised.", "inter.broker.listener.name", "host.name", "port", "sasl.", "ssl.", "security."),
    *("authorizer.", "super.user", "password.", "config.providers", "log.dir", "metadata.log.dir"),
    *("process.roles", "node.id", "broker.", "controller."),
)


@dataclass(frozen=True)
class Spec:
    """The specs of both resources."""

    namespace: str
    cluster: str
    pool: str
    replicas: int
    port: int
    listener: str
    peers: list[Object]
    version: str
    metadata_version: str
    image: str
    config: dict[str, str]
    heap: dict[str, str]
    resources: Object
    pod: Object
    container: Object
    volume: Object
    labels: dict[str, str]

    @property
    def brokers(self) -> str:
        """The name of the headless Service."""
        return f"{self.cluster}-kafka-brokers"

    @property
    def bootstrap(self) -> str:
        return f"{self.cluster}-kafka-bootstrap"

    @property
    def nodes(self) -> str:
        """The pods' names without their numbers."""
        return f"{self.cluster}-{self.pool}"

    @property
    def selector(self) -> dict[str, str]:
        return {CLUSTER: self.cluster, "strimzi.io/kind": "Kafka", "strimzi.io/name": f"{self.cluster}-kafka"}


def read(kafka: Object, pools: list[Object], version: str, default_image: str) -> Spec:
    """Read both resources, or refuse them; `version` is that of Kafka in the image."""
    refuse_all_but(_KAFKA, kafka["spec"])
    wanted = kafka["spec"]["kafka"]
    if len(pools) != 1:
        raise Refused(f"the stand-in supports one KafkaNodePool per cluster, got {len(pools)}")
    pool = pools[0]
    refuse_all_but(_POOL, pool["spec"])
    _check_pool(pool["spec"])
    _check_versions(wanted, version)
    listener = _listener(wanted)
    if wanted.get("authorization") != {"type": "simple"}:
        raise Refused("the stand-in supports spec.kafka.authorization of type simple only")
    # As with Strimzi, the pool's template replaces the cluster's: they are not merged.
    template = pool["spec"].get("template") or wanted.get("template") or {}
    return Spec(
        namespace=kafka["metadata"]["namespace"],
        cluster=kafka["metadata"]["name"],
        pool=pool["metadata"]["name"],
        replicas=pool["spec"]["replicas"],
        port=listener["port"],
        listener=listener["name"],
        peers=listener.get("networkPolicyPeers", []),
        version=version,
        metadata_version=wanted.get("metadataVersion", _minor(version)),
        image=wanted.get("image") or default_image,
        config=_config(wanted.get("config", {})),
        heap=pool["spec"].get("jvmOptions") or wanted.get("jvmOptions") or {},
        resources=pool["spec"].get("resources", {}),
        pod=template.get("pod", {}),
        container=template.get("kafkaContainer", {}),
        volume=pool["spec"]["storage"]["volumes"][0],
        labels=_labels(kafka["metadata"]["name"], pool),
    )


def _check_pool(spec: Object) -> None:
    if sorted(spec["roles"]) != ["broker", "controller"]:
        raise Refused("the stand-in supports only nodes that are broker and controller")
    if spec["replicas"] % 2 == 0:
        raise Refused(f"{spec['replicas']} controllers: their number must be odd")
    volumes = spec["storage"].get("volumes", [])
    if spec["storage"]["type"] != "jbod" or len(volumes) != 1 or volumes[0].get("id") != 0:
        raise Refused("the stand-in supports storage of type jbod with one volume of id 0")
    if volumes[0]["type"] != "persistent-claim":
        raise Refused("the stand-in supports volumes of type persistent-claim only")


def _check_versions(wanted: Object, version: str) -> None:
    if wanted.get("version", version) != version:
        raise Refused(f"Unsupported Kafka.spec.kafka.version: {wanted['version']}. Supported versions are: [{version}]")
    metadata = wanted.get("metadataVersion", _minor(version))
    if not re.fullmatch(rf"{re.escape(_minor(version))}(-IV\d+)?", metadata):
        raise Refused(f"the stand-in formats volumes with metadata of version {_minor(version)}, not {metadata}")


def _listener(wanted: Object) -> Object:
    if len(wanted["listeners"]) != 1:
        raise Refused("the stand-in supports one listener only")
    listener: Object = wanted["listeners"][0]
    if listener["type"] != "internal" or listener["tls"] or listener.get("authentication") != {"type": "scram-sha-512"}:
        raise Refused("the stand-in supports an internal listener without TLS, with authentication scram-sha-512, only")
    if listener["port"] < 9092 or listener["port"] in (9404, 9999):
        raise Refused(f"port {listener['port']} is forbidden and cannot be used")
    return listener


def _config(wanted: Object) -> dict[str, str]:
    if own := sorted(name for name in wanted if name.startswith(_OWN_CONFIG)):
        raise Refused(f"spec.kafka.config must not set the operator's own properties: {', '.join(own)}")
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in wanted.items()}


def _labels(cluster: str, pool: Object) -> dict[str, str]:
    """Return the pool's labels that Strimzi passes on; of app.kubernetes.io that is only part-of."""
    own = pool["metadata"].get("labels", {})
    kept = {
        name: value
        for name, value in own.items()
        if not name.startswith("app.kubernetes.io/") or name == "app.kubernetes.io/part-of"
    }
    return {
        "app.kubernetes.io/part-of": f"strimzi-{cluster}",
        **kept,
        "app.kubernetes.io/name": "kafka",
        "app.kubernetes.io/instance": cluster,
        "app.kubernetes.io/managed-by": "strimzi-cluster-operator",
        CLUSTER: cluster,
        "strimzi.io/kind": "Kafka",
        "strimzi.io/name": f"{cluster}-kafka",
        "strimzi.io/component-type": "kafka",
    }


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
