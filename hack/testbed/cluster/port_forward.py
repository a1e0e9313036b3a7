"""Forwards ports of this machine to the cluster's API, its admin port, Trino and stream metrics."""

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
"""Seconds until the next attempt when a pod has gone."""

_TARGETS = {
    "api": "service/api:http",
    "api_admin": "service/api-admin:admin",
    "trino": "service/trino:http",
    "stream_metrics": "pod/stream-driver:metrics",
}


@contextmanager
def port_forwards(cluster: Cluster) -> Iterator[LocalSettings]:
    """Forward free ports while the block lasts; yield them as the settings of a local stack."""
    settings = LocalSettings.isolated(cluster.settings.data)
    with ExitStack() as opened:
        for name, target in _TARGETS.items():
            opened.enter_context(Forward(cluster, target, getattr(settings.ports, name)))
        yield settings


class Forward:
    """Forwards a port to `TYPE/NAME:PORT` while the block lasts, and again when another pod takes over.

    It runs kubectl because the Python client's port-forward opens a WebSocket with a TLS handshake for each connection,
    which gives a fifth of kubectl's requests per second, and does not forward to Services.
    """

    def __init__(self, cluster: Cluster, target: str, port: int) -> None:
        resource, _, name = target.partition(":")
        command = ["kubectl", "--namespace", cluster.namespace, "port-forward", "--address", HOST]
        self._command = [*command, resource, f"{port}:{name}"]
        self._environment = cluster.environment
        self._target, self._port = target, port
        self._log = cluster.settings.data / f"logs/forward-{port}.log"
        self._stop = threading.Event()
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
        self._stop.set()
        self._keeper.join()

    def _keep(self) -> None:
        while not self._stop.is_set():
            with self._log.open("wb") as log:
                # In its own session, so that Ctrl-C does not end it before its users have ended.
                running = subprocess.Popen(
                    self._command,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            while running.poll() is None and not self._stop.wait(_PAUSE):
                pass
            running.terminate()
            running.wait()
            self._stop.wait(_PAUSE)
