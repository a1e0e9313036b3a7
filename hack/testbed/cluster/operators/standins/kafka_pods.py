"""The StatefulSet of a cluster's nodes, with Strimzi's names for pods and claims."""

import hashlib

from testbed.cluster.operators.standins.cluster import Object
from testbed.cluster.operators.standins.kafka_config import CONTROL_PORT, REPLICATION_PORT, properties
from testbed.cluster.operators.standins.kafka_spec import Spec

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
        "data": {"server.properties": properties(spec)},
    }


def stateful_set(spec: Spec, cluster_id: str) -> Object:
    pool = {"strimzi.io/pool-name": spec.pool}
    return {
        "metadata": {"name": spec.nodes, "labels": spec.labels | pool},
        "spec": {
            "replicas": spec.replicas,
            "serviceName": spec.brokers,
            # Controllers need a quorum: none is ready until most have started.
            "podManagementPolicy": "Parallel",
            "persistentVolumeClaimRetentionPolicy": {
                "whenDeleted": "Delete" if spec.volume.get("deleteClaim") else "Retain",
                "whenScaled": "Retain",
            },
            "selector": {"matchLabels": spec.selector | pool},
            "template": _pod(spec, cluster_id),
            "volumeClaimTemplates": [_claim(spec)],
        },
    }


def _pod(spec: Spec, cluster_id: str) -> Object:
    metadata = spec.pod.get("metadata", {})
    roles = {"strimzi.io/broker-role": "true", "strimzi.io/controller-role": "true"}
    checksum = hashlib.sha256(properties(spec).encode()).hexdigest()
    return {
        "metadata": {
            "labels": metadata.get("labels", {}) | spec.labels | roles | {"strimzi.io/pool-name": spec.pool},
            "annotations": metadata.get("annotations", {}) | {"strimzi.io/broker-configuration-hash": checksum},
        },
        "spec": {
            "terminationGracePeriodSeconds": 30,
            **{name: value for name, value in spec.pod.items() if name != "metadata"},
            "serviceAccountName": f"{spec.cluster}-kafka",
            "containers": [_container(spec, cluster_id)],
            "volumes": [
                {"name": "config", "configMap": {"name": f"{spec.cluster}-kafka-config"}},
                {"name": "strimzi-tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "5Mi"}},
            ],
        },
    }


def _container(spec: Spec, cluster_id: str) -> Object:
    ports = {"tcp-ctrlplane": CONTROL_PORT, "tcp-replication": REPLICATION_PORT, f"tcp-{spec.listener}": spec.port}
    return {
        "name": "kafka",
        "image": spec.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["tini", "--", "bash", "-c", _START],
        "env": [*_environment(spec, cluster_id), *spec.container.get("env", [])],
        "ports": [{"name": name, "containerPort": port} for name, port in ports.items()],
        "resources": spec.resources,
        # A broker opens this port when it has caught up with the controllers.
        "readinessProbe": {"tcpSocket": {"port": spec.port}, "periodSeconds": 5, "timeoutSeconds": 5},
        **({"securityContext": spec.container["securityContext"]} if "securityContext" in spec.container else {}),
        "volumeMounts": [
            {"name": "data-0", "mountPath": _DATA},
            {"name": "config", "mountPath": _CONFIG},
            {"name": "strimzi-tmp", "mountPath": "/tmp"},  # noqa: S108 the pod's own
        ],
    }


def _environment(spec: Spec, cluster_id: str) -> list[Object]:
    values = {
        # Kubernetes replaces $(NAME) by a variable that comes earlier in the list.
        "NODE_HOST": f"$(POD_NAME).{spec.brokers}.{spec.namespace}.svc",
        "KAFKA_DATA": f"{_DATA}/kafka-log$(NODE_ID)",
        "KAFKA_CONFIG": f"{_CONFIG}/server.properties",
        "KAFKA_CLUSTER_ID": cluster_id,
    }
    if "-Xmx" in spec.heap:
        values["KAFKA_HEAP"] = spec.heap["-Xmx"]
    if "-Xms" in spec.heap:
        values["JAVA_TOOL_OPTIONS"] = f"-Xms{spec.heap['-Xms']}"
    sources = {
        "POD_NAME": {"fieldRef": {"fieldPath": "metadata.name"}},
        "NODE_ID": {"fieldRef": {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}},
        "OPERATOR_PASSWORD": {"secretKeyRef": {"name": f"{spec.cluster}-operator", "key": "password"}},
    }
    return [
        *({"name": name, "valueFrom": source} for name, source in sources.items()),
        *({"name": name, "value": value} for name, value in values.items()),
    ]


def _claim(spec: Spec) -> Object:
    storage_class = {"storageClassName": spec.volume["class"]} if "class" in spec.volume else {}
    return {
        "metadata": {"name": "data-0", "labels": spec.labels | {"strimzi.io/pool-name": spec.pool}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            **storage_class,
            "resources": {"requests": {"storage": spec.volume["size"]}},
        },
    }
