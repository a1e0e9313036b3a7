"""Where the stack lies and listens."""

import os
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it."""


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
        return False


@dataclass(frozen=True)
class Ports:
    """The port of each listener; `API_PORT` and so on in the environment change them."""

    api: int = 5000
    kafka: int = 9092
    kafka_controller: int = 9093
    namenode: int = 8020
    namenode_http: int = 9870
    secondarynamenode_http: int = 9868
    datanode: int = 9866
    datanode_http: int = 9864
    datanode_ipc: int = 9867
    metastore: int = 9083
    trino: int = 8080
    stream_metrics: int = 9108
    store: int = 6379

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Ports":
        chosen = {}
        for field in fields(cls):
            name = f"{field.name.upper()}_PORT"
            if name in environment:
                if not environment[name].isdecimal() or not 0 < int(environment[name]) < 65536:
                    raise SettingsError(f"{name}: expected a port from 1 to 65535, got {environment[name]!r}")
                chosen[field.name] = int(environment[name])
        return cls(**chosen)

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nobody listens on now, none of which the system would give to a client meanwhile."""
        # Test runs beside each other have ranges of their own: the port of a server that is down is nobody else's.
        first, last = map(int, os.environ.get("GAMELAKE_FREE_PORTS", "20000-31999").split("-"))
        candidates = random.sample(range(first, last + 1), 1000)
        return cls(*islice((port for port in candidates if not is_taken(port)), len(fields(cls))))


@dataclass(frozen=True)
class Settings:
    """One stack: its data directory, its ports, its topic. `cache` holds what is downloaded, for all stacks."""

    data: Path
    cache: Path
    ports: Ports
    topic: str = "events"
    partitions: int = 3
    retention_ms: int = 7 * 24 * 3600 * 1000
    trigger_seconds: int = 10
    maintenance_seconds: int = 120

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """`GAMELAKE_DATA` (.local), `GAMELAKE_CACHE` (~/.cache/gamelake), `STREAM_TRIGGER_SECONDS` and the ports."""
        caches = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cls(
            data=Path(environment.get("GAMELAKE_DATA") or ROOT / ".local").resolve(),
            cache=Path(environment.get("GAMELAKE_CACHE") or caches / "gamelake").resolve(),
            ports=Ports.from_environment(environment),
            trigger_seconds=_seconds(environment, "STREAM_TRIGGER_SECONDS", cls.trigger_seconds),
        )

    @classmethod
    def isolated(cls, data: Path) -> "Settings":
        """A stack of its own, beside whatever else runs here."""
        return cls(data=data, cache=cls.from_environment().cache, ports=Ports.free())

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
    def hdfs_uri(self) -> str:
        return f"hdfs://{HOST}:{self.ports.namenode}"

    @property
    def metastore_uri(self) -> str:
        return f"thrift://{HOST}:{self.ports.metastore}"

    @property
    def store_url(self) -> str:
        return f"redis://{HOST}:{self.ports.store}"

    @property
    def trino_url(self) -> str:
        return f"http://{HOST}:{self.ports.trino}"


def _seconds(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal():
        raise SettingsError(f"{name}: expected a whole number of seconds, got {text!r}")
    return int(text)
