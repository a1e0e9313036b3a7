"""Whether a server is ready, asked the way its clients would."""

import json
import socket
import urllib.request
from typing import Any

from game_world.store import Store
from redis.exceptions import RedisError

from testbed.settings import HOST, Settings


def names_files(settings: Settings) -> bool:
    """Whether the NameNode answers."""
    return _file_system(settings) is not None


def answers_queries(settings: Settings) -> bool:
    """Whether Trino has started."""
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
    """Whether the SecondaryNameNode answers; it waits for the NameNode by itself."""
    port = settings.ports.secondarynamenode_http
    beans = _json(f"http://{HOST}:{port}/jmx?qry=Hadoop:service=SecondaryNameNode,name=SecondaryNameNodeInfo")
    return bool(beans and beans["beans"])


def serves_files(settings: Settings) -> bool:
    """Whether a DataNode lives and the NameNode has left its safe mode."""
    info = _file_system(settings)
    return bool(info and info["FSState"] == "Operational" and info["NumLiveDataNodes"])


def listens(port: int) -> bool:
    """Whether somebody accepts connections there; the metastore does when it can answer."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((HOST, port)) == 0


def answers(url: str) -> bool:
    """Whether a GET is answered 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def keeps_the_world(settings: Settings) -> bool:
    """Whether the store answers; while it reads its file it listens, but says that it is busy."""
    try:
        return bool(Store(settings.store_url).redis.ping())
    except RedisError:
        return False


def is_caught_up(settings: Settings) -> bool:
    """Whether the world has read the topic."""
    try:
        return Store(settings.store_url).is_caught_up()
    except RedisError:
        return False
