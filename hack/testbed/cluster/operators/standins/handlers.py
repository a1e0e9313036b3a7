"""The entry point for Kopf: which function reconciles which kind of object."""

import asyncio
import copy
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import kopf

from testbed.cluster.operators.standins import kafka, schedule, spark_application, topic, user
from testbed.cluster.operators.standins.cluster import APPLICATIONS, KAFKAS, SCHEDULES, TOPICS, USERS, Object
from testbed.cluster.operators.standins.follower import Follower, Kind

_KINDS = (
    Kind(KAFKAS, kafka.reconcile),
    Kind(TOPICS, topic.reconcile, topic.forget),
    Kind(USERS, user.reconcile, user.forget),
    Kind(APPLICATIONS, spark_application.reconcile, spark_application.forget),
    Kind(SCHEDULES, schedule.reconcile),
)

_WORKERS = 32

_followers: dict[str, Follower] = {}
_tasks: set[asyncio.Task[None]] = set()


@kopf.on.startup()
async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:  # noqa: ANN401 Kopf's arguments
    # Some wait for an unavailable broker or for spark-submit, while the others continue.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_WORKERS))
    # Scanning for new namespaces and definitions needs rights in the whole cluster.
    settings.scanning.disabled = True
    settings.posting.enabled = False


async def _changed(kind: Kind, event: Any, **_: Any) -> None:  # noqa: ANN401 Kopf's arguments
    body: Object = copy.deepcopy(dict(event["object"]))
    uid, gone = body["metadata"]["uid"], event["type"] == "DELETED"
    if uid not in _followers and not gone:
        _followers[uid] = Follower(kind, body)
        task = asyncio.create_task(_followers[uid].run())
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
        task.add_done_callback(lambda _: _followers.pop(uid, None))
    elif uid in _followers:
        _followers[uid].wake(gone)


for _kind in _KINDS:
    _resource = _kind.resource
    kopf.on.event(_resource.group, _resource.version, _resource.plural, id=_resource.plural)(partial(_changed, _kind))
