"""How the stand-ins speak to a Kafka cluster: as its super user, at the listener that is theirs."""

import base64
from functools import cache

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from testbed.cluster.operators.standins import cluster
from testbed.cluster.operators.standins.cluster import KAFKAS, SECRETS, Object
from testbed.cluster.operators.standins.kafka_config import OPERATOR, REPLICATION_PORT

_TIMEOUT = 20


class NoBroker(Exception):  # noqa: N818 it says what happened
    """The cluster is not there, or not yet."""


def client(namespace: str, name: str) -> AdminClient:
    secret = cluster.get(SECRETS, namespace, f"{name}-operator")
    if secret is None:
        raise NoBroker(f"there is no cluster {name}")
    password = base64.b64decode(secret["data"]["password"]).decode()
    return _client(f"{name}-kafka-brokers.{namespace}.svc:{REPLICATION_PORT}", password)


def entity_operator(namespace: str, name: str, part: str) -> Object | None:
    """What the cluster asks of its topicOperator or userOperator; none if it has no such part, or is not there."""
    kafka = cluster.get(KAFKAS, namespace, name)
    operator = ((kafka or {}).get("spec", {}).get("entityOperator")) or {}
    return operator if part in operator else None


def problem(error: Exception) -> str:
    """What went wrong, in words."""
    return str(error.args[0].str()) if isinstance(error, KafkaException) else str(error)


@cache
def _client(bootstrap_servers: str, password: str) -> AdminClient:
    return AdminClient(
        {
            "bootstrap.servers": bootstrap_servers,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": OPERATOR,
            "sasl.password": password,
            "socket.timeout.ms": _TIMEOUT * 1000,
            # Brokers that are replaced have other addresses.
            "broker.address.ttl": 1000,
            "log_level": 3,
        }
    )
