"""A pool of Kafka's nodes, as its KafkaNodePool describes it."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from testbed.cluster.operators.standins.cluster import Object
from testbed.cluster.operators.standins.fields import Refused, refuse_all_but

CLUSTER = "strimzi.io/cluster"

_POD = ["metadata", "imagePullSecrets", "securityContext", "terminationGracePeriodSeconds", "affinity", "tolerations"]
NODE = [
    *(f"template.pod.{field}" for field in (*_POD, "topologySpreadConstraints", "priorityClassName", "hostAliases")),
    "template.kafkaContainer.securityContext",
    "template.kafkaContainer.env",
    # Where the real operator needs a container to find the rack, the stand-in does not.
    "template.initContainer.securityContext",
    "resources",
    "jvmOptions.-Xms",
    "jvmOptions.-Xmx",
]
"""The fields that a pool and its cluster may both have."""

_STORAGE = ["type", *(f"volumes.{field}" for field in ("id", "type", "size", "class", "deleteClaim", "kraftMetadata"))]
_POOL = [*NODE, "replicas", "roles", *(f"storage.{field}" for field in _STORAGE)]
_NEXT_IDS = "strimzi.io/next-node-ids"


@dataclass(frozen=True)
class Pool:
    name: str
    nodes: str
    """The pods' names without their numbers."""
    replicas: int
    roles: list[str]
    first: int
    """The number of the first node."""
    heap: dict[str, str]
    resources: Object
    pod: Object
    container: Object
    volume: Object
    labels: dict[str, str]

    @property
    def is_broker(self) -> bool:
        return "broker" in self.roles

    @property
    def is_controller(self) -> bool:
        return "controller" in self.roles

    @property
    def ids(self) -> range:
        return range(self.first, self.first + self.replicas)


def read_pools(kafka: Object, pools: Collection[Object]) -> list[Pool]:
    """Read a cluster's pools, or refuse them."""
    found = [_read(kafka, pool) for pool in sorted(pools, key=lambda one: str(one["metadata"]["name"]))]
    for role in ("broker", "controller"):
        if not any(role in pool.roles for pool in found):
            raise Refused(f"At least one KafkaNodePool with the {role} role and at least one replica is required")
    controllers = sum(pool.replicas for pool in found if pool.is_controller)
    if controllers % 2 == 0:
        raise Refused(f"{controllers} controllers: their number must be odd")
    ids = [number for pool in found for number in pool.ids]
    if len(ids) != len(set(ids)):
        raise Refused(f"the stand-in needs node pools with the annotation {_NEXT_IDS}, and ranges that do not overlap")
    return found


def _read(kafka: Object, pool: Object) -> Pool:
    spec, metadata, cluster = pool["spec"], pool["metadata"], kafka["metadata"]["name"]
    refuse_all_but(_POOL, spec)
    _check_storage(spec["storage"])
    wanted = kafka["spec"]["kafka"]
    # As with Strimzi, the pool's template replaces the cluster's: they are not merged.
    template = spec.get("template") or wanted.get("template") or {}
    return Pool(
        name=metadata["name"],
        nodes=f"{cluster}-{metadata['name']}",
        replicas=spec["replicas"],
        roles=spec["roles"],
        first=_first(metadata.get("annotations", {}).get(_NEXT_IDS, "[0]")),
        heap=spec.get("jvmOptions") or wanted.get("jvmOptions") or {},
        resources=spec.get("resources", {}),
        pod=template.get("pod", {}),
        container=template.get("kafkaContainer", {}),
        volume=spec["storage"]["volumes"][0],
        labels=_labels(cluster, pool),
    )


def _first(ids: str) -> int:
    found = re.match(r"\[\s*(\d+)", ids)
    if not found:
        raise Refused(f"{_NEXT_IDS}: expected a list of numbers or ranges, got {ids!r}")
    return int(found[1])


def _check_storage(storage: Object) -> None:
    volumes = storage.get("volumes", [])
    if storage["type"] != "jbod" or len(volumes) != 1 or volumes[0].get("id") != 0:
        raise Refused("the stand-in supports storage of type jbod with one volume of id 0")
    if volumes[0]["type"] != "persistent-claim":
        raise Refused("the stand-in supports volumes of type persistent-claim only")


def _labels(cluster: str, pool: Object) -> dict[str, str]:
    """Return the pool's labels that Strimzi passes on, none of app.kubernetes.io, and its own."""
    own = pool["metadata"].get("labels", {})
    return {
        **{name: value for name, value in own.items() if not name.startswith("app.kubernetes.io/")},
        **labels(cluster),
        "strimzi.io/pool-name": pool["metadata"]["name"],
    }


def labels(cluster: str) -> dict[str, str]:
    """Return Strimzi's own labels of a cluster's objects."""
    return {
        "app.kubernetes.io/part-of": f"strimzi-{cluster}",
        "app.kubernetes.io/name": "kafka",
        "app.kubernetes.io/instance": cluster,
        "app.kubernetes.io/managed-by": "strimzi-cluster-operator",
        CLUSTER: cluster,
        "strimzi.io/kind": "Kafka",
        "strimzi.io/name": f"{cluster}-kafka",
        "strimzi.io/component-type": "kafka",
    }
