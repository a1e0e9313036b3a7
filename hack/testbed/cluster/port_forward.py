"""Ways into the cluster: what its API, its Trino and its stream serve, at ports of this machine."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError
from testbed.settings import HOST
from testbed.settings import Settings as LocalSettings
from testbed.stack.probes import listens
from testbed.stack.process import log_tail
from testbed.waiting import wait_until

_PATIENCE = 60
_PAUSE = 0.5
"""Seconds until the next try, when a pod has gone."""

_WAYS = {"api": "service/api:http", "trino": "service/trino:http", "stream_metrics": "pod/stream-driver:metrics"}


@contextmanager
def ways_in(cluster: Cluster) -> Iterator[LocalSettings]:
    """Open them on free ports, and tell which, as the modules for the stack on one machine want to know it."""
    settings = LocalSettings.isolated(cluster.settings.data)
    with ExitStack() as opened:
        for name, target in _WAYS.items():
            opened.enter_context(Forward(cluster, target, getattr(settings.ports, name)))
        yield settings


class Forward:
    """While the block lasts, `TYPE/NAME:PORT` answers at a port of this machine, again when another pod takes over."""

    def __init__(self, cluster: Cluster, target: str, port: int) -> None:
        resource, _, name = target.partition(":")
        command = ["kubectl", "--namespace", cluster.namespace, "port-forward", "--address", HOST]
        self._command = [*command, resource, f"{port}:{name}"]
        self._environment = cluster.environment
        self._target, self._port = target, port
        self._log = cluster.settings.data / f"logs/forward-{port}.log"
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Forward":
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._keeper.start()
        try:
            wait_until(self._target, lambda: listens(self._port), _PATIENCE)
        except BaseException as error:
            self.__exit__()
            if isinstance(error, TimeoutError):
                raise KindError(f"{error}\n{log_tail(self._log)}") from error
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._keeper.join()

    def _keep(self) -> None:
        while not self._ended.is_set():
            with self._log.open("wb") as log:
                # In a session of its own: at Ctrl-C it stays until what uses it has ended.
                running = subprocess.Popen(
                    self._command,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            while running.poll() is None and not self._ended.wait(_PAUSE):
                pass
            running.terminate()
            running.wait()
            self._ended.wait(_PAUSE)
