"""Why objects of the cluster are not ready, as their operator, the scheduler or the kubelet reports it."""

import time
from collections.abc import Iterator
from contextlib import suppress

from testbed.cluster.api import Object
from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError
from testbed.cluster.progress import Progress
from testbed.cluster.readiness import has_ready_condition

_KINDS = ("Kafka", "KafkaTopic", "KafkaUser", "Pod")
_PAUSE = 5.0
"""Seconds between two queries."""
_USUAL = ("ContainerCreating", "PodInitializing")
"""The reasons that every pod gives as it starts."""


class Conditions:
    """The conditions of the namespace's Kafka resources and pods."""

    def __init__(self, cluster: Cluster, progress: Progress) -> None:
        self._cluster = cluster
        self._progress = progress
        self._reported: set[str] = set()
        self._queried = float("-inf")

    def report(self) -> None:
        """Print new reasons. Calls within a few seconds of the last query do nothing."""
        if time.monotonic() < self._queried + _PAUSE:
            return
        found = self._found()
        self._queried = time.monotonic()
        for one in found:
            if one not in self._reported:
                self._progress.say(f"… {one}")
        # A reason that was gone and comes back is printed again.
        self._reported = set(found)

    def explain(self, problem: str) -> str:
        """Return the problem, and below it the current reasons."""
        return "\n".join([problem, *(f"  {one}" for one in self._found())])

    def _found(self) -> list[str]:
        # If the API server does not answer, the wait itself fails and says so.
        with suppress(KindError):
            return reasons([one for kind in _KINDS for one in self._cluster.api.find(kind)])
        return []


def reasons(objects: list[Object]) -> list[str]:
    """Return a line for each reason why one of these objects is not ready."""
    return [
        f"{one['kind']} {one['metadata']['name']}: {reason}"
        for one in objects
        for reason in (_of_pod if one["kind"] == "Pod" else _of_resource)(one.get("status", {}))
    ]


def _of_resource(status: Object) -> Iterator[str]:
    if has_ready_condition(status):
        return
    conditions = status.get("conditions", [])
    if not conditions:
        yield "its operator has not reconciled it yet"
    for one in conditions:
        if one["type"] == "Ready":
            yield _reason("NotReady", one)
        elif one["status"] == "True":
            yield _reason(one["type"], one)


def _of_pod(status: Object) -> Iterator[str]:
    for one in status.get("conditions", []):
        if one["type"] == "PodScheduled" and one["status"] == "False":
            yield _reason(one.get("reason", "not scheduled"), one)
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") and waiting["reason"] not in _USUAL:
            yield f"{container['name']}: {_reason(waiting['reason'], waiting)}"


def _reason(name: str, condition: Object) -> str:
    """Return the name with the condition's message, which says more than its reason, on one line."""
    why = condition.get("message") or condition.get("reason") or ""
    return f"{name}: {' '.join(why.split())}" if why else name
