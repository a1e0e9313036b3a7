"""Admin clients for Kafka clusters, as their super user, through the internal listener."""

import base64
from functools import cache

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from testbed.cluster.operators.standins import cluster
from testbed.cluster.operators.standins.cluster import KAFKAS, SECRETS, Object
from testbed.cluster.operators.standins.kafka_config import OPERATOR, REPLICATION_PORT
from testbed.cluster.operators.standins.quotas import Login

_TIMEOUT = 20


class NoBroker(Exception):  # noqa: N818 the name says what happened
    """The cluster does not exist, or not yet."""


def client(namespace: str, name: str) -> AdminClient:
    one = login(namespace, name)
    return _kept(f"{one.host}:{one.port}", one.password)


def login(namespace: str, name: str) -> Login:
    secret = cluster.get(SECRETS, namespace, f"{name}-operator")
    if secret is None:
        raise NoBroker(f"Kafka cluster {name} does not exist")
    password = base64.b64decode(secret["data"]["password"]).decode()
    return Login(f"{name}-kafka-bootstrap.{namespace}.svc", REPLICATION_PORT, OPERATOR, password)


def entity_operator(namespace: str, name: str, part: str) -> Object | None:
    """Return the spec of the cluster's entity operator; None if it lacks this part, or there is no cluster."""
    kafka = cluster.get(KAFKAS, namespace, name)
    operator = ((kafka or {}).get("spec", {}).get("entityOperator")) or {}
    return operator if part in operator else None


def problem(error: Exception) -> str:
    """Return the message of an error."""
    return str(error.args[0].str()) if isinstance(error, KafkaException) else str(error)


@cache
def _kept(bootstrap_servers: str, password: str) -> AdminClient:
    return connect(bootstrap_servers, password)


def connect(bootstrap_servers: str, password: str) -> AdminClient:
    """Return a client of the super user."""
    return AdminClient(
        {
            "bootstrap.servers": bootstrap_servers,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": OPERATOR,
            "sasl.password": password,
            "socket.timeout.ms": _TIMEOUT * 1000,
            # A broker that is replaced gets another address.
            "broker.address.ttl": 1000,
            "log_level": 3,
        }
    )
