"""Reconciles one object until it is gone."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from testbed.cluster.operators.standins import cluster
from testbed.cluster.operators.standins.cluster import Object, Resource

_FAILED_PAUSE = 5.0
_LAST_TRIES = 12

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    resource: Resource
    reconcile: Callable[[Object], float]
    """Brings the cluster closer to the object's spec; returns the seconds until the next reconciliation."""
    forget: Callable[[Object], None] = lambda body: None
    """Called with the last known state of an object that is gone."""


class Follower:
    """Reconciles one object, each time from the state of the cluster, so that a restart loses nothing.

    Kopf's daemons do nearly the same, but put a finalizer on every object: then a namespace cannot be deleted once the
    stand-ins, or their rights in it, are gone.
    """

    def __init__(self, kind: Kind, body: Object) -> None:
        self._kind = kind
        self._body = body
        self._woken = asyncio.Event()
        self._gone = False

    def wake(self, gone: bool) -> None:
        self._gone = self._gone or gone
        self._woken.set()

    async def run(self) -> None:
        while not self._gone:
            self._woken.clear()
            pause = await self._step()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), pause)
        for _ in range(_LAST_TRIES):
            if await self._try(lambda: self._kind.forget(self._body)):
                break
            await asyncio.sleep(_FAILED_PAUSE)

    async def _step(self) -> float:
        pauses: list[float] = []
        await self._try(lambda: pauses.append(self._reconcile()))
        return pauses[0] if pauses else _FAILED_PAUSE

    def _reconcile(self) -> float:
        metadata = self._body["metadata"]
        body = cluster.get(self._kind.resource, metadata["namespace"], metadata["name"])
        if body is None or body["metadata"]["uid"] != metadata["uid"]:
            self._gone = True
            return 0
        self._body = body
        return self._kind.reconcile(body)

    async def _try(self, action: Callable[[], None]) -> bool:
        try:
            await asyncio.to_thread(action)
        except Exception:  # whatever it is, the next attempt may succeed
            name = self._body["metadata"]["name"]
            _log.warning("%s %s: failed and will be retried", self._kind.resource.kind, name, exc_info=True)
            return False
        return True
