"""Readiness probes of the servers, by the protocols that their clients use."""

import json
import socket
import urllib.request
from typing import Any

from game_world.store import Store
from redis.exceptions import RedisError

from testbed.clients import namenodes
from testbed.settings import HOST, Settings


def names_files(port: int) -> bool:
    """Tell whether the NameNode with this HTTP port answers, active or not."""
    return _file_system(port) is not None


def answers_queries(settings: Settings) -> bool:
    """Tell whether Trino has started."""
    return (_json(f"http://{HOST}:{settings.ports.trino}/v1/info") or {}).get("starting") is False


def _json(url: str) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return dict(json.load(answer))
    except (OSError, ValueError):
        return None


def _file_system(port: int) -> dict[str, Any] | None:
    return namenodes.bean(port, "FSNamesystemState")


def makes_checkpoints(settings: Settings) -> bool:
    """Tell whether the SecondaryNameNode answers; it waits for the NameNode by itself."""
    port = settings.ports.secondarynamenode_http
    return namenodes.bean(port, "SecondaryNameNodeInfo", "SecondaryNameNode") is not None


def serves_files(settings: Settings) -> bool:
    """Tell whether a DataNode is live and the active NameNode has left safe mode."""
    number = namenodes.active(settings)
    info = _file_system(settings.namenode_http_ports[number]) if number is not None else None
    return bool(info and info["FSState"] == "Operational" and info["NumLiveDataNodes"])


def keeps_edits(port: int) -> bool:
    """Tell whether the JournalNode with this HTTP port answers."""
    return namenodes.bean(port, "JournalNodeInfo", "JournalNode") is not None


def elects(port: int) -> bool:
    """Tell whether the ZooKeeper at this port serves sessions."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            connection.sendall(b"srvr")
            return b"Mode:" in b"".join(iter(lambda: connection.recv(4096), b""))
    except OSError:
        return False


def listens(port: int) -> bool:
    """Tell whether a server accepts connections on this port; the metastore does as soon as it can answer."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((HOST, port)) == 0


def answers(url: str) -> bool:
    """Tell whether a GET request gets a 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def keeps_the_world(settings: Settings) -> bool:
    """Tell whether the store answers; while it loads its file, it accepts connections and returns an error."""
    try:
        return bool(Store(settings.store_url).redis.ping())
    except RedisError:
        return False


def is_caught_up(settings: Settings) -> bool:
    """Tell whether the world has applied the whole topic."""
    try:
        return Store(settings.store_url).is_caught_up()
    except RedisError:
        return False
