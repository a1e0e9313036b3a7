"""The properties of Kafka, the same for every node: what differs comes from the pod's environment."""

from testbed.cluster.operators.standins.kafka_spec import Spec

OPERATOR = "_operator"
"""The super user. No KafkaUser can have this name, because names of resources have no underscore."""
CONTROL_PORT = 9090
REPLICATION_PORT = 9091

_CONTROL = f"CONTROLPLANE-{CONTROL_PORT}"
_REPLICATION = f"REPLICATION-{REPLICATION_PORT}"
_PLAIN = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    f'username="{OPERATOR}" password="${{env:OPERATOR_PASSWORD}}" user_{OPERATOR}="${{env:OPERATOR_PASSWORD}}";'
)
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


def properties(spec: Spec) -> str:
    client = f"{spec.listener.upper()}-{spec.port}"
    ports = {_CONTROL: CONTROL_PORT, _REPLICATION: REPLICATION_PORT, client: spec.port}
    lines = {
        "config.providers": "env",
        "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
        "process.roles": "broker,controller",
        "node.id": "${env:NODE_ID}",
        "log.dirs": "${env:KAFKA_DATA}",
        "controller.listener.names": _CONTROL,
        "controller.quorum.voters": ",".join(f"{n}@{host(spec, n)}:{CONTROL_PORT}" for n in range(spec.replicas)),
        "inter.broker.listener.name": _REPLICATION,
        "listeners": ",".join(f"{name}://0.0.0.0:{port}" for name, port in ports.items()),
        "advertised.listeners": ",".join(f"{name}://${{env:NODE_HOST}}:{port}" for name, port in ports.items()),
        "listener.security.protocol.map": ",".join(f"{name}:SASL_PLAINTEXT" for name in ports),
        "sasl.mechanism.controller.protocol": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        **_mechanism(_CONTROL, "PLAIN", _PLAIN),
        **_mechanism(_REPLICATION, "PLAIN", _PLAIN),
        **_mechanism(client, "SCRAM-SHA-512", _SCRAM),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{OPERATOR}",
        **spec.config,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def host(spec: Spec, node: int) -> str:
    return f"{spec.nodes}-{node}.{spec.brokers}.{spec.namespace}.svc.cluster.local"


def _mechanism(listener: str, mechanism: str, jaas: str) -> dict[str, str]:
    prefix = f"listener.name.{listener.lower()}"
    return {
        f"{prefix}.sasl.enabled.mechanisms": mechanism,
        f"{prefix}.{mechanism.lower()}.sasl.jaas.config": jaas,
    }
