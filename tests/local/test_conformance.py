"""The stand-ins behave as the real operators where nodes of Kafka are needed, which have the stand-in's properties."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Self

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from game_kafka.settings import KafkaSettings
from testbed.cluster.operators.standins import admin, kafka_certificates, topic, user
from testbed.cluster.operators.standins.fields import Refused
from testbed.cluster.operators.standins.kafka_config import CERTIFICATE, OPERATOR, properties
from testbed.cluster.operators.standins.kafka_spec import Spec
from testbed.cluster.operators.standins.node_pool import Pool
from testbed.cluster.operators.standins.quotas import Login, set_quotas
from testbed.settings import HOST, Settings
from testbed.stack.process import Process
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.unit.testbed.test_standins import ENCRYPTED, KAFKA, LISTENER, changed, pool, spec

PASSWORD = "of the operator"  # noqa: S105 the broker is this test's
WRITER = {"resource": {"type": "topic", "name": "events"}, "operations": ["Write", "Describe"]}


class Nodes:
    """A broker and a controller of the stand-in, whose ports and hosts are this machine's."""

    def __init__(self, settings: Settings) -> None:
        self.ca = settings.data / "ca.crt"
        self._pem = settings.data / "tls.pem"
        ports = settings.ports
        self._places = {9090: ports.kafka_controller, 9091: ports.kafka, 9092: ports.store, 9093: ports.trino}
        self.admin = admin.connect(self.address(9091), PASSWORD)
        self.login = Login(HOST, self._places[9091], OPERATOR, PASSWORD)
        settings.data.mkdir(parents=True, exist_ok=True)
        kafka = changed(KAFKA, "spec.kafka.listeners", [LISTENER, ENCRYPTED])
        kafka = changed(kafka, "spec.kafka.config", {"offsets.topic.replication.factor": 1})
        kafka = changed(kafka, "spec.kafka.rack", {"topologyKey": "topology.kubernetes.io/zone"})
        pools = [changed(pool(*of), "spec.replicas", 1) for of in (("broker", "[0-99]"), ("controller", "[100-199]"))]
        of = spec(kafka, *pools)
        authority, certificate = kafka_certificates.issue(of)
        self.ca.write_text(authority)
        self._pem.write_text(certificate)
        self._processes = [self._process(settings, of, one) for one in of.pools]

    def __enter__(self) -> Self:
        for process in self._processes:
            process.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Its threads would look for the broker, and report that there is none, until the end of all tests.
        del self.admin
        for process in self._processes:
            process.stop()

    def address(self, port: int) -> str:
        return f"{HOST}:{self._places[port]}"

    def rack(self) -> str:
        """Return the broker's rack; empty if it does not answer."""
        try:
            [broker] = self.admin.describe_cluster(request_timeout=5).result().nodes
        except (KafkaException, ValueError):
            return ""
        return str(broker.rack)

    def _process(self, settings: Settings, of: Spec, one: Pool) -> Process:
        config = settings.data / f"{one.name}.properties"
        text = re.sub(r"events-(broker|controller)-\d+\.[\w.-]+", HOST, properties(of, one))
        text = re.sub(r":(909[0-3])\b", lambda found: f":{self._places[int(found[1])]}", text)
        config.write_text(text.replace(CERTIFICATE, str(self._pem)))
        program = Stack(settings)["kafka"].program
        environment = {
            **program.environment,
            **{"KAFKA_CONFIG": str(config), "KAFKA_CLUSTER_ID": "nodes-of-the-stand-in0"},
            **{"NODE_ID": str(one.first), "NODE_HOST": HOST, "OPERATOR_PASSWORD": PASSWORD, "RACK": "zone-1"},
            **{"KAFKA_DATA": str(settings.data / one.name), "KAFKA_HEAP": "256m"},
        }
        return Process(replace(program, name=one.name, environment=environment), settings)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with Nodes(Settings.isolated(tmp_path_factory.mktemp("nodes"))) as nodes:
        wait_until("the stand-in's broker", nodes.rack, 120)
        yield nodes


def resource(**wanted: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
    return {"metadata": {"name": "events", "namespace": "game"}, "spec": {"partitions": 2, "replicas": 1} | wanted}


@pytest.fixture(scope="module")
def events(broker: Nodes) -> None:
    def is_known() -> bool:
        try:
            topic.create_or_update(broker.admin, resource(config={"min.insync.replicas": 1}))
        except KafkaException as error:
            # Created by the controller, and unknown to the broker yet: the operator tries again, too.
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return False
            raise
        return True

    wait_until("the topic", is_known, pause=0.1)


def test_a_broker_and_a_controller(broker: Nodes) -> None:
    """They run on nodes of their own, only the broker is known to clients, and it has its rack."""
    described = broker.admin.describe_cluster(request_timeout=30).result()
    assert [node.id for node in described.nodes] == [0]
    assert broker.rack() == "zone-1"


def least_in_sync(client: AdminClient) -> str:
    [described] = client.describe_configs([ConfigResource(ResourceType.TOPIC, "events")]).values()
    return str(described.result()["min.insync.replicas"].value)


@pytest.mark.usefixtures("events")
def test_settings_are_changed_before_other_copies_are_refused(broker: Nodes) -> None:
    """A changed number of copies is refused when the settings are already changed: no event is accepted then."""
    with pytest.raises(
        Refused, match=r"^Replication factor change not supported, but required for partitions \[0, 1\]$"
    ):
        topic.create_or_update(broker.admin, resource(replicas=3, config={"min.insync.replicas": 2}))
    wait_until("the settings", lambda: least_in_sync(broker.admin) == "2", 30)
    topic.create_or_update(broker.admin, resource(config={"min.insync.replicas": 1}))
    wait_until("the settings", lambda: least_in_sync(broker.admin) == "1", 30)


@pytest.mark.usefixtures("events")
def test_partitions_are_not_removed(broker: Nodes) -> None:
    """Fewer partitions are refused."""
    with pytest.raises(Refused, match=r"^Decreasing partitions not supported$"):
        topic.create_or_update(broker.admin, resource(partitions=1))


@pytest.mark.usefixtures("events")
def test_a_user_connects_with_tls(broker: Nodes) -> None:
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
def test_users_have_quotas(broker: Nodes) -> None:
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
