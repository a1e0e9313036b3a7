"""Where the local stack keeps its data and listens."""

import os
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import Any

from game_events.rules import STAMINA_SECONDS
from game_kafka.settings import KafkaSettings
from game_settings.reader import FromEnvironment, read, setting
from game_settings.reader import SettingsError as SettingsError
from game_trino.settings import TrinoSettings
from game_world.settings import SNAPSHOT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
        return False


def _port(name: str, default: int) -> Any:  # noqa: ANN401 as dataclasses.field
    return setting(name, default, least=1, most=65535, expected="a port from 1 to 65535")


@dataclass(frozen=True)
class Ports(FromEnvironment):
    """The port of each listener."""

    api: int = _port("API_PORT", 5000)
    kafka: int = _port("KAFKA_PORT", 9092)
    kafka_controller: int = _port("KAFKA_CONTROLLER_PORT", 9093)
    namenode: int = _port("NAMENODE_PORT", 8020)
    namenode_http: int = _port("NAMENODE_HTTP_PORT", 9870)
    secondarynamenode_http: int = _port("SECONDARYNAMENODE_HTTP_PORT", 9868)
    datanode: int = _port("DATANODE_PORT", 9866)
    datanode_http: int = _port("DATANODE_HTTP_PORT", 9864)
    datanode_ipc: int = _port("DATANODE_IPC_PORT", 9867)
    metastore: int = _port("METASTORE_PORT", 9083)
    trino: int = _port("TRINO_PORT", 8080)
    # That of a Trino with login.
    trino_https: int = _port("TRINO_HTTPS_PORT", 8443)
    stream_metrics: int = _port("STREAM_METRICS_PORT", 9108)
    store: int = _port("STORE_PORT", 6379)
    api_admin: int = _port("API_ADMIN_PORT", 5010)
    world_metrics: int = _port("WORLD_METRICS_PORT", 9109)
    # Those of a stack with two NameNodes.
    namenode_1: int = _port("NAMENODE_1_PORT", 8021)
    namenode_1_http: int = _port("NAMENODE_1_HTTP_PORT", 9871)
    journalnode_0: int = _port("JOURNALNODE_0_PORT", 8485)
    journalnode_1: int = _port("JOURNALNODE_1_PORT", 8486)
    journalnode_2: int = _port("JOURNALNODE_2_PORT", 8487)
    journalnode_0_http: int = _port("JOURNALNODE_0_HTTP_PORT", 8480)
    journalnode_1_http: int = _port("JOURNALNODE_1_HTTP_PORT", 8481)
    journalnode_2_http: int = _port("JOURNALNODE_2_HTTP_PORT", 8482)
    zookeeper: int = _port("ZOOKEEPER_PORT", 2181)
    zkfc_0: int = _port("ZKFC_0_PORT", 8019)
    zkfc_1: int = _port("ZKFC_1_PORT", 8018)

    @classmethod
    def free(cls) -> "Ports":
        """Ports that are free now, outside the range from which the system takes the ports of clients."""
        # Concurrent test runs have separate ranges: no other run takes the port of a server that is down.
        first, last = map(int, os.environ.get("GAMELAKE_FREE_PORTS", "20000-31999").split("-"))
        candidates = random.sample(range(first, last + 1), 1000)
        return cls(*islice((port for port in candidates if not is_taken(port)), len(fields(cls))))


@dataclass(frozen=True)
class Settings:
    # The folder of one stack's data: .local by default.
    data: Path = setting("GAMELAKE_DATA")
    # What is downloaded, for all stacks: ~/.cache/gamelake by default.
    cache: Path = setting("GAMELAKE_CACHE")
    ports: Ports = field(default_factory=Ports)
    topic: str = "events"
    partitions: int = 3
    retention_ms: int = 7 * 24 * 3600 * 1000
    trigger_seconds: int = setting("STREAM_TRIGGER_SECONDS", 10)
    # Seconds until a player has one stamina back; 0: actions take none.
    stamina_seconds: int = setting("WORLD_STAMINA_SECONDS", STAMINA_SECONDS)
    # Seconds between two snapshots of the world.
    snapshot_seconds: int = setting("WORLD_SNAPSHOT_SECONDS", SNAPSHOT_SECONDS, least=1)
    maintenance_seconds: int = 120
    # 2: with automatic failover.
    namenodes: int = setting("GAMELAKE_NAMENODES", 1, least=1, most=2, expected="1 or 2")
    # 1: users of Trino log in, over HTTPS, and have the rights that they have on a cluster.
    trino_login: int = setting("GAMELAKE_TRINO_LOGIN", 0, most=1, expected="0 or 1")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment, or raise SettingsError."""
        caches = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return read(cls, environment, data=ROOT / ".local", cache=(caches / "gamelake").resolve())

    @classmethod
    def isolated(cls, data: Path) -> "Settings":
        """A stack beside any others on this machine."""
        # Players under load send more than stamina allows.
        return cls(data=data, cache=cls.from_environment().cache, ports=Ports.free(), stamina_seconds=0)

    @property
    def kafka(self) -> KafkaSettings:
        return KafkaSettings(bootstrap_servers=self.bootstrap_servers, topic=self.topic)

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def bootstrap_servers(self) -> str:
        return f"{HOST}:{self.ports.kafka}"

    @property
    def api_url(self) -> str:
        return f"http://{HOST}:{self.ports.api}"

    @property
    def admin_url(self) -> str:
        """The API's admin port: its readiness, its metrics and the dashboard."""
        return f"http://{HOST}:{self.ports.api_admin}"

    @property
    def hdfs_client(self) -> Path:
        """The configuration with which clients find HDFS."""
        return self.data / "hdfs-client"

    @property
    def namenode_http_ports(self) -> tuple[int, ...]:
        return (self.ports.namenode_http, self.ports.namenode_1_http)[: self.namenodes]

    @property
    def metastore_uri(self) -> str:
        return f"thrift://{HOST}:{self.ports.metastore}"

    @property
    def store_url(self) -> str:
        return f"redis://{HOST}:{self.ports.store}"

    @property
    def trino_url(self) -> str:
        return f"https://{HOST}:{self.ports.trino_https}" if self.trino_login else f"http://{HOST}:{self.ports.trino}"

    @property
    def trino_secrets(self) -> Path:
        """The folder with a file for each key of the Secrets that a Trino with login has on a cluster."""
        return self.data / "trino-secrets"

    def trino(self, user: str) -> TrinoSettings:
        """How this user connects to Trino."""
        if not self.trino_login:
            return TrinoSettings(self.trino_url)
        password = (self.trino_secrets / user).read_text()
        return TrinoSettings(self.trino_url, password, str(self.trino_secrets / "ca.crt"))
