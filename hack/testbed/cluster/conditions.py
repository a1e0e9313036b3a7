"""Why something in the cluster is not ready, in the words of whoever looks after it: operator, scheduler or kubelet."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError
from testbed.cluster.progress import Progress

_KINDS = "kafkas,kafkatopics,kafkausers,pods"
_PAUSE = 5.0
"""Seconds from one look to the next."""
_USUAL = ("ContainerCreating", "PodInitializing")
"""What every pod says of itself as it starts."""


class Conditions:
    """Those of the namespace's Kafka resources and pods."""

    def __init__(self, cluster: Cluster, progress: Progress) -> None:
        self._cluster = cluster
        self._progress = progress
        self._said: set[str] = set()
        self._looked = float("-inf")

    def look(self) -> None:
        """Say what is wrong and was not said before; most calls come too early to look again."""
        if time.monotonic() < self._looked + _PAUSE:
            return
        found = self._found()
        self._looked = time.monotonic()
        for one in found:
            if one not in self._said:
                self._progress.say(f"… {one}")
        # What comes back is said again.
        self._said = set(found)

    def explain(self, what: str) -> str:
        """Return `what`, and below it all that is wrong now."""
        return "\n".join([what, *(f"  {one}" for one in self._found())])

    def _found(self) -> list[str]:
        # Whoever waits hears of a cluster that does not answer from kubectl.
        with suppress(KindError, ValueError):
            return reasons(json.loads(self._cluster.kubectl("get", _KINDS, "--output", "json"))["items"])
        return []


def reasons(objects: list[dict[str, Any]]) -> list[str]:
    """Return a line for each reason why one of these is not ready."""
    return [
        f"{one['kind']} {one['metadata']['name']}: {said}"
        for one in objects
        for said in (_of_pod if one["kind"] == "Pod" else _of_resource)(one.get("status", {}))
    ]


def _of_resource(status: dict[str, Any]) -> Iterator[str]:
    conditions = status.get("conditions", [])
    if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
        return
    if not conditions:
        yield "its operator has not looked at it yet"
    for one in conditions:
        if one["type"] == "Ready":
            yield _said("NotReady", one)
        elif one["status"] == "True":
            yield _said(one["type"], one)


def _of_pod(status: dict[str, Any]) -> Iterator[str]:
    for one in status.get("conditions", []):
        if one["type"] == "PodScheduled" and one["status"] == "False":
            yield _said(one.get("reason", "not scheduled"), one)
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") and waiting["reason"] not in _USUAL:
            yield f"{container['name']}: {_said(waiting['reason'], waiting)}"


def _said(what: str, condition: dict[str, Any]) -> str:
    """The message, which says more than the reason; one line of it."""
    why = condition.get("message") or condition.get("reason") or ""
    return f"{what}: {' '.join(why.split())}" if why else what
