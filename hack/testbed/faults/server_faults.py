"""Faults of the API, Kafka, HDFS, the metastore and Trino."""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

import psutil
import trino
from lake.settings import EVENTS

from testbed.clients import sql
from testbed.faults.fault import RESTARTED, Fault
from testbed.faults.site import Site

_FREEZE = 12.0
"""Seconds; longer than the API waits for the broker, and than the broker's session with its controller lasts."""
_FULL = 10.0
"""Seconds for which a server's volume is full."""


def _kill_api_worker(site: Site) -> None:
    site.random.choice(psutil.Process(site.stack["api"].pid).children()).kill()


def _stop_api(site: Site) -> None:
    site.stack["api"].stop()
    site.stack["api"].start()


def kill(site: Site, name: str) -> None:
    """Kill a server, and start it again at once."""
    site.stack[name].kill()
    site.stack[name].start()


def freeze(site: Site, name: str, seconds: float = _FREEZE) -> None:
    """Stop a server and its children for a while, without ending them."""
    family = site.stack[name].family()
    for process in family:
        process.suspend()
    try:
        time.sleep(seconds)
    finally:
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def fill_volume(site: Site, name: str) -> None:
    """Let a server write no byte to a file, and start it again if it ended."""
    _limit_files(site.stack[name].family(), 0)
    try:
        time.sleep(_FULL)
    finally:
        # Not those from before: one that ended may have been restarted.
        _limit_files(site.stack[name].family(), None)
    if not site.stack[name].alive:
        site.stack[name].start()


def _limit_files(processes: Iterable[psutil.Process], size: int | None) -> None:
    """Set the size in bytes beyond which these processes cannot write to a file; None: as before."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            _, most = process.rlimit(psutil.RLIMIT_FSIZE)
            process.rlimit(psutil.RLIMIT_FSIZE, (most if size is None else size, most))


def _freeze_mid_commit(site: Site) -> None:
    site.await_metadata()
    freeze(site, "metastore")


def _kill_mid_write(site: Site, name: str) -> None:
    site.await_batch()
    time.sleep(site.random.uniform(0, 0.5))
    kill(site, name)


def _kill_metastore_mid_commit(site: Site) -> None:
    site.await_metadata()
    time.sleep(site.random.uniform(0, 0.05))
    kill(site, "metastore")


def _kill_trino_mid_query(site: Site) -> None:
    def ask() -> None:
        with suppress(trino.exceptions.Error, OSError):
            sql.ask(site.settings, f"SELECT count(*) FROM {EVENTS} a JOIN {EVENTS} b ON a.player = b.player")

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    time.sleep(site.random.uniform(0.1, 0.5))
    kill(site, "trino")


NAMENODE_FAULTS = (
    Fault("NameNode, kill -9 mid-write", lambda site: _kill_mid_write(site, "namenode"), RESTARTED),
    Fault(f"NameNode, frozen for {_FREEZE:.0f} s", lambda site: freeze(site, "namenode"), RESTARTED),
    Fault(f"NameNode, its volume full for {_FULL:.0f} s", partial(fill_volume, name="namenode"), RESTARTED),
)
"""Of a NameNode without a standby."""

_WITH_VOLUMES = {"kafka": "broker", "datanode": "DataNode", "metastore": "metastore"}

SERVER_FAULTS = (
    Fault("API worker, kill -9", _kill_api_worker),
    Fault("API, SIGTERM", _stop_api),
    Fault("broker, kill -9", lambda site: kill(site, "kafka"), RESTARTED),
    Fault(f"broker, frozen for {_FREEZE:.0f} s", lambda site: freeze(site, "kafka"), RESTARTED),
    Fault("DataNode, kill -9 mid-write", lambda site: _kill_mid_write(site, "datanode"), RESTARTED),
    Fault(f"DataNode, frozen for {_FREEZE:.0f} s", lambda site: freeze(site, "datanode"), RESTARTED),
    Fault("metastore, kill -9 mid-commit", _kill_metastore_mid_commit, RESTARTED),
    Fault(f"metastore, frozen mid-commit for {_FREEZE:.0f} s", _freeze_mid_commit, RESTARTED),
    *(
        Fault(f"{shown}, its volume full for {_FULL:.0f} s", partial(fill_volume, name=name), RESTARTED)
        for name, shown in _WITH_VOLUMES.items()
    ),
    Fault("Trino, kill -9 mid-query", _kill_trino_mid_query, RESTARTED),
)
