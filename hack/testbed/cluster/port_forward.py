"""Forwards ports of this machine to the cluster's API, its admin port, Trino and stream metrics."""

import base64
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

from game_trino.users import USERS

from testbed.cluster.api import Object
from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError
from testbed.cluster.readiness import is_ready
from testbed.settings import HOST
from testbed.settings import Settings as LocalSettings
from testbed.stack import trino_login
from testbed.stack.probes import listens
from testbed.stack.process import log_tail
from testbed.waiting import wait_until

_PATIENCE = 420
_PAUSE = 0.5
"""Seconds until the next attempt when a pod has gone."""
_LOOK = 2.0
"""Seconds between two looks at the pods."""

_TARGETS = {
    "api": ("app.kubernetes.io/name=api", "http"),
    "api_admin": ("app.kubernetes.io/name=api", "admin"),
    "trino_https": ("app.kubernetes.io/name=trino,app.kubernetes.io/component=coordinator", "https"),
    "stream_metrics": ("sparkoperator.k8s.io/app-name=stream,spark-role=driver", "metrics"),
}
"""The label selector for the pods and the name of the container's port, by the name of the local port."""


@contextmanager
def port_forwards(cluster: Cluster) -> Iterator[LocalSettings]:
    """Forward free ports while the block lasts; yield them as the settings of a local stack."""
    settings = replace(LocalSettings.isolated(cluster.settings.data), trino_login=1)
    trino_login.write(settings.trino_secrets, _trino_secrets(cluster))
    with ExitStack() as opened:
        for name, (selector, port) in _TARGETS.items():
            opened.enter_context(Forward(cluster, selector, port, getattr(settings.ports, name)))
        yield settings


def _trino_secrets(cluster: Cluster) -> dict[str, str]:
    """Return the passwords of Trino's users and the certificate that its clients trust."""
    found: dict[str, str] = {}
    for name, keys in (("trino-login", USERS), ("trino-tls", ("ca.crt",))):
        secret = cluster.api.get("Secret", name)
        if secret is None:
            raise KindError(f"Secret {name} does not exist: make kind creates it")
        found |= {key: base64.b64decode(secret["data"][key]).decode() for key in keys}
    return found


class Forward:
    """Forwards a local port to a ready pod of a selector while the block lasts, and to another once that has gone.

    It runs kubectl because the Python client's port-forward opens a WebSocket with a TLS handshake for each connection,
    which gives a fifth of kubectl's requests per second. kubectl alone may keep forwarding to a pod that has gone, or
    whose machine does not answer, so that every new connection hangs.
    """

    def __init__(self, cluster: Cluster, selector: str, name: str, port: int) -> None:
        self._cluster = cluster
        self._selector, self._name, self._port = selector, name, port
        self._log = cluster.settings.data / f"logs/forward-{port}.log"
        self._stop = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Forward":
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.touch()
        self._keeper.start()
        try:
            wait_until(f"a pod of {self._selector}", lambda: listens(self._port), _PATIENCE)
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
            if ready := ready_pods(self._pods() or ()):
                self._forward(ready[0]["metadata"])
            self._stop.wait(_PAUSE)

    def _forward(self, pod: Object) -> None:
        """Run kubectl until it ends, the pod has to be left or the block ends."""
        command = ["kubectl", "--namespace", self._cluster.namespace, "port-forward", "--address", HOST]
        with self._log.open("wb") as log:
            # In its own session, so that Ctrl-C does not end it before its users have ended.
            running = subprocess.Popen(
                [*command, f"pod/{pod['name']}", f"{self._port}:{self._name}"],
                env=self._cluster.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            looked = time.monotonic()
            while running.poll() is None and not self._stop.wait(_PAUSE):
                if time.monotonic() > looked + _LOOK:
                    pods = self._pods()
                    if pods is not None and has_to_be_left(pod["uid"], pods):
                        break
                    looked = time.monotonic()
        finally:
            running.terminate()
            running.wait()

    def _pods(self) -> list[Object] | None:
        """Return the pods; None if the API server does not answer."""
        with suppress(KindError):
            return self._cluster.api.find("Pod", self._selector)
        return None


def ready_pods(pods: Sequence[Object]) -> list[Object]:
    return [pod for pod in pods if is_ready(pod) and "deletionTimestamp" not in pod["metadata"]]


def has_to_be_left(uid: str, pods: Sequence[Object]) -> bool:
    """Whether the pod is none of these any more, or is not ready while another one is."""
    own = [pod for pod in pods if pod["metadata"]["uid"] == uid]
    return not own or bool(ready_pods(pods) and not is_ready(own[0]))
