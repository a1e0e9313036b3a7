"""Faults of two NameNodes and of what lets the standby take over: JournalNodes, ZooKeeper, failover controllers."""

import shutil
from collections.abc import Callable
from functools import partial

from testbed.clients import namenodes
from testbed.faults.fault import Fault
from testbed.faults.server_faults import fill_volume, freeze, kill
from testbed.faults.site import Site
from testbed.stack.hdfs import FAILOVER_CONTROLLERS, JOURNALNODES, NAMENODES

_FAILED_OVER = 30.0
"""Seconds until events are visible again: the standby takes over, or the others go on without the one that failed."""
_FREEZE = 20.0
"""Seconds; longer than a NameNode may take to answer a health check."""

_Choice = Callable[[Site], str]


def _active(site: Site) -> str:
    site.wait("a NameNode that is active", lambda: namenodes.active(site.settings) is not None)
    return NAMENODES[namenodes.active(site.settings) or 0]


def _standby(site: Site) -> str:
    active = _active(site)
    return next(name for name in NAMENODES if name != active)


def _journalnode(site: Site) -> str:
    return site.random.choice(JOURNALNODES)


def _zookeeper(_: Site) -> str:
    return "zookeeper"


def _controller(site: Site) -> str:
    return FAILOVER_CONTROLLERS[NAMENODES.index(_active(site))]


def _kill(site: Site, choice: _Choice) -> None:
    site.await_batch()
    kill(site, choice(site))


def _freeze(site: Site, choice: _Choice) -> None:
    site.await_batch()
    freeze(site, choice(site), _FREEZE)


def _fill(site: Site, choice: _Choice) -> None:
    fill_volume(site, choice(site))


def _lose(site: Site, choice: _Choice) -> None:
    """Delete what a server stores, and start it again: it copies everything from the others."""
    name = choice(site)
    site.stack[name].kill()
    shutil.rmtree(site.settings.data / name)
    site.stack[name].start()


_SERVERS: dict[str, _Choice] = {
    "active NameNode": _active,
    "standby NameNode": _standby,
    "JournalNode": _journalnode,
    "ZooKeeper": _zookeeper,
    "failover controller": _controller,
}
_WITH_VOLUMES = ("active NameNode", "standby NameNode", "JournalNode", "ZooKeeper")
_COPIED = ("standby NameNode", "JournalNode", "ZooKeeper")

FAILOVER_FAULTS = (
    *(Fault(f"{name}, kill -9", partial(_kill, choice=choice), _FAILED_OVER) for name, choice in _SERVERS.items()),
    *(
        Fault(f"{name}, frozen for {_FREEZE:.0f} s", partial(_freeze, choice=choice), _FAILED_OVER)
        for name, choice in _SERVERS.items()
    ),
    *(Fault(f"{name}, its volume full", partial(_fill, choice=_SERVERS[name]), _FAILED_OVER) for name in _WITH_VOLUMES),
    *(Fault(f"{name}, lost with its volume", partial(_lose, choice=_SERVERS[name]), _FAILED_OVER) for name in _COPIED),
)
