"""The stand-ins behave as the real operators where a broker is needed: it runs with the stand-in's own properties."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from game_kafka.settings import KafkaSettings
from testbed.cluster.operators.standins import admin, kafka_certificates, topic, user
from testbed.cluster.operators.standins.fields import Refused
from testbed.cluster.operators.standins.kafka_config import CERTIFICATE, OPERATOR, properties
from testbed.cluster.operators.standins.quotas import Login, set_quotas
from testbed.settings import HOST, Settings
from testbed.stack.process import Process
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.unit.testbed.test_standins import ENCRYPTED, KAFKA, LISTENER, POOL, changed, spec

PASSWORD = "of the operator"  # noqa: S105 the broker is this test's
WRITER = {"resource": {"type": "topic", "name": "events"}, "operations": ["Write", "Describe"]}


class Broker:
    """A broker of the stand-in, whose ports and hosts are this machine's."""

    def __init__(self, settings: Settings) -> None:
        self.ca = settings.data / "ca.crt"
        ports = settings.ports
        self._places = {9090: ports.kafka_controller, 9091: ports.kafka, 9092: ports.store, 9093: ports.trino}
        self.admin = admin.connect(self.address(9091), PASSWORD)
        self.login = Login(HOST, self._places[9091], OPERATOR, PASSWORD)
        config, pem = settings.data / "server.properties", settings.data / "tls.pem"
        settings.data.mkdir(parents=True, exist_ok=True)
        config.write_text(self._properties(pem))
        program = Stack(settings)["kafka"].program
        environment = {
            **program.environment,
            **{"KAFKA_CONFIG": str(config), "KAFKA_CLUSTER_ID": "broker-of-the-stand-in"},
            **{"NODE_ID": "0", "NODE_HOST": HOST, "OPERATOR_PASSWORD": PASSWORD},
        }
        self.process = Process(replace(program, environment=environment), settings)

    def address(self, port: int) -> str:
        return f"{HOST}:{self._places[port]}"

    def answers(self) -> bool:
        try:
            return bool(self.admin.list_topics(timeout=5).brokers)
        except KafkaException:
            return False

    def _properties(self, pem: Path) -> str:
        kafka = changed(KAFKA, "spec.kafka.listeners", [LISTENER, ENCRYPTED])
        kafka = changed(kafka, "spec.kafka.config", {"offsets.topic.replication.factor": 1})
        of = spec(kafka, changed(POOL, "spec.replicas", 1))
        authority, certificate = kafka_certificates.issue(of)
        self.ca.write_text(authority)
        pem.write_text(certificate)
        text = properties(of, of.pools[0]).replace(CERTIFICATE, str(pem))
        text = re.sub(r"events-dual-0\.[\w.-]+", HOST, text)
        return re.sub(r":(909[0-3])\b", lambda found: f":{self._places[int(found[1])]}", text)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    one = Broker(Settings.isolated(tmp_path_factory.mktemp("broker")))
    one.process.start()
    try:
        wait_until("the stand-in's broker", one.answers, 120)
        yield one
    finally:
        one.process.stop()


def resource(**wanted: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
    return {"metadata": {"name": "events", "namespace": "game"}, "spec": {"partitions": 2, "replicas": 1} | wanted}


@pytest.fixture(scope="module")
def events(broker: Broker) -> None:
    topic.create_or_update(broker.admin, resource(config={"min.insync.replicas": 1}))


def least_in_sync(client: AdminClient) -> str:
    [described] = client.describe_configs([ConfigResource(ResourceType.TOPIC, "events")]).values()
    return str(described.result()["min.insync.replicas"].value)


@pytest.mark.usefixtures("events")
def test_settings_are_changed_before_other_copies_are_refused(broker: Broker) -> None:
    """A changed number of copies is refused when the settings are already changed: no event is accepted then."""
    with pytest.raises(
        Refused, match=r"^Replication factor change not supported, but required for partitions \[0, 1\]$"
    ):
        topic.create_or_update(broker.admin, resource(replicas=3, config={"min.insync.replicas": 2}))
    wait_until("the settings", lambda: least_in_sync(broker.admin) == "2", 30)
    topic.create_or_update(broker.admin, resource(config={"min.insync.replicas": 1}))
    wait_until("the settings", lambda: least_in_sync(broker.admin) == "1", 30)


@pytest.mark.usefixtures("events")
def test_partitions_are_not_removed(broker: Broker) -> None:
    """Fewer partitions are refused."""
    with pytest.raises(Refused, match=r"^Decreasing partitions not supported$"):
        topic.create_or_update(broker.admin, resource(partitions=1))


@pytest.mark.usefixtures("events")
def test_a_user_connects_with_tls(broker: Broker) -> None:
    """Both listeners ask for a user's password, and the encrypted one has a certificate of the cluster's authority."""
    api = {"metadata": {"name": "api", "uid": "1"}}
    user.set_password(broker.admin, api, "of the api")
    user.set_rights(broker.admin, "api", user.bindings("api", [WRITER]))
    login = KafkaSettings(
        broker.address(9093), "events", "SASL_SSL", "SCRAM-SHA-512", "api", "of the api", str(broker.ca)
    )
    wait_until("the user", lambda: partitions(login) == 2, 60)
    assert partitions(replace(login, ssl_ca_location="")) is None
    assert partitions(replace(login, sasl_password="of another")) is None  # noqa: S106 the broker is this test's
    plain = replace(login, bootstrap_servers=broker.address(9092), security_protocol="SASL_PLAINTEXT")
    assert partitions(plain) == 2


def options(login: KafkaSettings) -> dict[str, Any]:
    # The certificate is for the names of Services: tests/unit/testbed/test_standins.py.
    return {**login.client(), "ssl.endpoint.identification.algorithm": "none", "log_level": 0}


def partitions(login: KafkaSettings) -> int | None:
    """Return the number of the topic's partitions; None if the broker refuses the user, or the client the broker."""
    try:
        return len(AdminClient(options(login)).list_topics("events", timeout=5).topics["events"].partitions)
    except KafkaException:
        return None


@pytest.mark.usefixtures("events")
def test_users_have_quotas(broker: Broker) -> None:
    """A user who writes more than the quota is slowed down; the others are not."""
    times: dict[str, list[float]] = {}
    for name in ("fast", "slow"):
        user.set_password(broker.admin, {"metadata": {"name": name, "uid": name}}, name)
        user.set_rights(broker.admin, name, user.bindings(name, [WRITER]))
        set_quotas(broker.login, name, {"producerByteRate": 1000} if name == "slow" else {})
        login = KafkaSettings(broker.address(9092), "events", "SASL_PLAINTEXT", "SCRAM-SHA-512", name, name)
        wait_until(f"user {name}", lambda login=login: partitions(login) == 2, 60)
        throttled: list[float] = []
        times[name] = throttled
        producer = Producer(
            options(login) | {"throttle_cb": lambda event, found=throttled: found.append(event.throttle_time)}
        )
        for _ in range(20):
            producer.produce("events", b"x" * 10_000)
            producer.flush(1)
        if name == "slow":
            wait_until("a pause", lambda producer=producer, found=throttled: bool(producer.poll(0.1) or found), 30)
    assert times["fast"] == []
    assert times["slow"]
