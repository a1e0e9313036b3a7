"""The StatefulSets of a cluster's nodes, one for each pool, with Strimzi's names for pods and claims."""

import hashlib
from pathlib import PurePosixPath

from testbed.cluster.operators.standins.cluster import Object
from testbed.cluster.operators.standins.kafka_config import CERTIFICATE, CONTROL_PORT, ports, properties
from testbed.cluster.operators.standins.kafka_spec import RACKS, Spec
from testbed.cluster.operators.standins.node_pool import Pool

_CONFIG = "/etc/kafka"
_DATA = "/var/lib/kafka/data-0"
# Refuse the volume of another cluster: Kafka would start with the id that it finds there.
_START = """\
id=$(sed -n 's/^cluster.id=//p' "$KAFKA_DATA/meta.properties" 2>/dev/null)
if [[ -n $id && $id != "$KAFKA_CLUSTER_ID" ]]; then
  echo "Invalid cluster.id in $KAFKA_DATA/meta.properties. Expected $KAFKA_CLUSTER_ID, but read $id" >&2
  exit 1
fi
exec /opt/gamelake/images/kafka/run
"""


def config_map(spec: Spec) -> Object:
    return {
        "metadata": {"name": f"{spec.cluster}-kafka-config", "labels": spec.labels},
        "data": {f"{pool.name}.properties": properties(spec, pool) for pool in spec.pools},
    }


def stateful_set(spec: Spec, pool: Pool, cluster_id: str, certificate: str = "") -> Object:
    """Return the pool's StatefulSet; `certificate` is the digest of the brokers' certificate."""
    pool_label = {"strimzi.io/pool-name": pool.name}
    return {
        "metadata": {"name": pool.nodes, "labels": pool.labels},
        "spec": {
            "replicas": pool.replicas,
            "ordinals": {"start": pool.first},
            "serviceName": spec.brokers,
            # Controllers need a quorum: none is ready until most have started.
            "podManagementPolicy": "Parallel",
            "persistentVolumeClaimRetentionPolicy": {
                "whenDeleted": "Delete" if pool.volume.get("deleteClaim") else "Retain",
                "whenScaled": "Retain",
            },
            "selector": {"matchLabels": spec.selector | pool_label},
            "template": _pod(spec, pool, cluster_id, certificate),
            "volumeClaimTemplates": [_claim(pool)],
        },
    }


def _pod(spec: Spec, pool: Pool, cluster_id: str, certificate: str) -> Object:
    metadata = pool.pod.get("metadata", {})
    roles = {
        "strimzi.io/broker-role": str(pool.is_broker).lower(),
        "strimzi.io/controller-role": str(pool.is_controller).lower(),
    }
    checksum = hashlib.sha256(properties(spec, pool).encode()).hexdigest()
    annotations = {"strimzi.io/broker-configuration-hash": checksum, "strimzi.io/server-cert-hash": certificate}
    volumes = [
        {"name": "config", "configMap": {"name": f"{spec.cluster}-kafka-config"}},
        {"name": "strimzi-tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "5Mi"}},
    ]
    if _needs_certificate(spec, pool):
        volumes.append({"name": "certificate", "secret": {"secretName": spec.brokers}})
    return {
        "metadata": {
            "labels": metadata.get("labels", {}) | pool.labels | roles,
            "annotations": metadata.get("annotations", {}) | annotations,
        },
        "spec": {
            "terminationGracePeriodSeconds": 30,
            **{name: value for name, value in pool.pod.items() if name != "metadata"},
            **_affinity(spec, pool),
            "serviceAccountName": f"{spec.cluster}-kafka",
            "containers": [_container(spec, pool, cluster_id)],
            "volumes": volumes,
        },
    }


def _needs_certificate(spec: Spec, pool: Pool) -> bool:
    return pool.is_broker and spec.has_tls


def _affinity(spec: Spec, pool: Pool) -> Object:
    """Return the pods' affinity; with racks, only nodes that are in one, and rather different ones."""
    own = pool.pod.get("affinity", {})
    if not (spec.rack and pool.is_broker):
        return {"affinity": own} if own else {}
    apart = own.get("podAntiAffinity", {})
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    term = {"topologyKey": spec.rack, "labelSelector": {"matchLabels": spec.broker_selector}}
    ranked = [*apart.get(preferred, []), {"weight": 100, "podAffinityTerm": term}]
    labelled = [{"matchExpressions": [{"key": spec.rack, "operator": "Exists"}]}]
    of_node = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": labelled}}
    return {"affinity": {**own, "nodeAffinity": of_node, "podAntiAffinity": {**apart, preferred: ranked}}}


def _container(spec: Spec, pool: Pool, cluster_id: str) -> Object:
    mounts = [
        {"name": "data-0", "mountPath": _DATA},
        {"name": "config", "mountPath": _CONFIG},
        {"name": "strimzi-tmp", "mountPath": "/tmp"},  # noqa: S108 the pod's own
    ]
    if _needs_certificate(spec, pool):
        mounts.append({"name": "certificate", "mountPath": str(PurePosixPath(CERTIFICATE).parent)})
    # A broker opens its clients' ports when it has caught up with the controllers.
    opened = spec.listeners[0].port if pool.is_broker else CONTROL_PORT
    return {
        "name": "kafka",
        "image": spec.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["tini", "--", "bash", "-c", _START],
        "env": [*_environment(spec, pool, cluster_id), *pool.container.get("env", [])],
        "ports": [{"name": name, "containerPort": port} for name, port in ports(spec, pool).items()],
        "resources": pool.resources,
        "readinessProbe": {"tcpSocket": {"port": opened}, "periodSeconds": 5, "timeoutSeconds": 5},
        **({"securityContext": pool.container["securityContext"]} if "securityContext" in pool.container else {}),
        "volumeMounts": mounts,
    }


def _environment(spec: Spec, pool: Pool, cluster_id: str) -> list[Object]:
    values = {
        # Kubernetes replaces $(NAME) by a variable that comes earlier in the list.
        "NODE_HOST": f"$(POD_NAME).{spec.brokers}.{spec.namespace}.svc",
        "KAFKA_DATA": f"{_DATA}/kafka-log$(NODE_ID)",
        "KAFKA_CONFIG": f"{_CONFIG}/{pool.name}.properties",
        "KAFKA_CLUSTER_ID": cluster_id,
    }
    if "-Xmx" in pool.heap:
        values["KAFKA_HEAP"] = pool.heap["-Xmx"]
    if "-Xms" in pool.heap:
        values["JAVA_TOOL_OPTIONS"] = f"-Xms{pool.heap['-Xms']}"
    sources = {
        "POD_NAME": {"fieldRef": {"fieldPath": "metadata.name"}},
        "NODE_ID": {"fieldRef": {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}},
        "OPERATOR_PASSWORD": {"secretKeyRef": {"name": f"{spec.cluster}-operator", "key": "password"}},
    }
    if spec.rack and pool.is_broker:
        sources["RACK"] = {"fieldRef": {"fieldPath": RACKS[spec.rack]}}
    return [
        *({"name": name, "valueFrom": source} for name, source in sources.items()),
        *({"name": name, "value": value} for name, value in values.items()),
    ]


def _claim(pool: Pool) -> Object:
    storage_class = {"storageClassName": pool.volume["class"]} if "class" in pool.volume else {}
    return {
        "metadata": {"name": "data-0", "labels": pool.labels},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            **storage_class,
            "resources": {"requests": {"storage": pool.volume["size"]}},
        },
    }
