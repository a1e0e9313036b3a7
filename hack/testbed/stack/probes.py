"""Readiness probes of the servers, by the protocols that their clients use."""

import json
import socket
import urllib.request
from typing import Any

from game_world.store import Store
from redis.exceptions import RedisError

from testbed.settings import HOST, Settings


def names_files(settings: Settings) -> bool:
    """Tell whether the NameNode answers."""
    return _file_system(settings) is not None


def answers_queries(settings: Settings) -> bool:
    """Tell whether Trino has started."""
    return (_json(f"{settings.trino_url}/v1/info") or {}).get("starting") is False


def _json(url: str) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return dict(json.load(answer))
    except (OSError, ValueError):
        return None


def _file_system(settings: Settings) -> dict[str, Any] | None:
    beans = _json(
        f"http://{HOST}:{settings.ports.namenode_http}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
    )
    return beans["beans"][0] if beans and beans["beans"] else None


def makes_checkpoints(settings: Settings) -> bool:
    """Tell whether the SecondaryNameNode answers; it waits for the NameNode by itself."""
    port = settings.ports.secondarynamenode_http
    beans = _json(f"http://{HOST}:{port}/jmx?qry=Hadoop:service=SecondaryNameNode,name=SecondaryNameNodeInfo")
    return bool(beans and beans["beans"])


def serves_files(settings: Settings) -> bool:
    """Tell whether a DataNode is live and the NameNode has left safe mode."""
    info = _file_system(settings)
    return bool(info and info["FSState"] == "Operational" and info["NumLiveDataNodes"])


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
