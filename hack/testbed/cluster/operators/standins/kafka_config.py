"""The properties of Kafka, the same for every node of a pool: what differs comes from the pod's environment."""

from testbed.cluster.operators.standins.kafka_spec import Spec
from testbed.cluster.operators.standins.node_pool import Pool

OPERATOR = "_operator"
"""The super user. No KafkaUser can have this name, because names of resources have no underscore."""
CONTROL_PORT = 9090
REPLICATION_PORT = 9091
CERTIFICATE = "/etc/kafka-certificate/tls.pem"

_CONTROL = f"CONTROLPLANE-{CONTROL_PORT}"
_REPLICATION = f"REPLICATION-{REPLICATION_PORT}"
_PLAIN = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    f'username="{OPERATOR}" password="${{env:OPERATOR_PASSWORD}}" user_{OPERATOR}="${{env:OPERATOR_PASSWORD}}";'
)
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


def properties(spec: Spec, pool: Pool) -> str:
    lines = {
        "config.providers": "env",
        "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
        "process.roles": ",".join(sorted(pool.roles)),
        "node.id": "${env:NODE_ID}",
        "log.dirs": "${env:KAFKA_DATA}",
        "controller.listener.names": _CONTROL,
        "controller.quorum.voters": ",".join(_voters(spec)),
        **_listeners(spec, pool),
        "sasl.mechanism.controller.protocol": "PLAIN",
        **_mechanism(_CONTROL, "PLAIN", _PLAIN),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{OPERATOR}",
        **spec.config,
    }
    if pool.is_broker:
        lines |= {
            "inter.broker.listener.name": _REPLICATION,
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            **_mechanism(_REPLICATION, "PLAIN", _PLAIN),
        }
        for listener in spec.listeners:
            lines |= _mechanism(listener.title, "SCRAM-SHA-512", _SCRAM)
            if listener.tls:
                prefix = f"listener.name.{listener.title.lower()}.ssl.keystore"
                lines |= {f"{prefix}.type": "PEM", f"{prefix}.location": CERTIFICATE}
        if spec.rack:
            lines["broker.rack"] = "${env:RACK}"
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def ports(spec: Spec, pool: Pool) -> dict[str, int]:
    """Return the ports on which the pool's nodes listen, by Strimzi's names."""
    found = {"tcp-ctrlplane": CONTROL_PORT} if pool.is_controller else {}
    if pool.is_broker:
        found |= {"tcp-replication": REPLICATION_PORT}
        found |= {f"tcp-{listener.name}": listener.port for listener in spec.listeners}
    return found


def _listeners(spec: Spec, pool: Pool) -> dict[str, str]:
    own = {_CONTROL: CONTROL_PORT} if pool.is_controller else {}
    protocols = {_CONTROL: "SASL_PLAINTEXT"}
    if pool.is_broker:
        own |= {_REPLICATION: REPLICATION_PORT} | {one.title: one.port for one in spec.listeners}
        protocols[_REPLICATION] = "SASL_PLAINTEXT"
        protocols |= {one.title: "SASL_SSL" if one.tls else "SASL_PLAINTEXT" for one in spec.listeners}
    return {
        "listeners": ",".join(f"{name}://0.0.0.0:{port}" for name, port in own.items()),
        "advertised.listeners": ",".join(f"{name}://${{env:NODE_HOST}}:{port}" for name, port in own.items()),
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
    }


def _voters(spec: Spec) -> list[str]:
    domain = f"{spec.brokers}.{spec.namespace}.svc.cluster.local"
    return [
        f"{number}@{pool.nodes}-{number}.{domain}:{CONTROL_PORT}"
        for pool in spec.pools
        if pool.is_controller
        for number in pool.ids
    ]


def _mechanism(listener: str, mechanism: str, jaas: str) -> dict[str, str]:
    prefix = f"listener.name.{listener.lower()}"
    return {
        f"{prefix}.sasl.enabled.mechanisms": mechanism,
        f"{prefix}.{mechanism.lower()}.sasl.jaas.config": jaas,
    }
