"""gunicorn's settings; the application's are in game_api/settings.py, whose variables this reads too."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]


def _own_folder() -> Path:
    """Make a folder for the metrics, where nobody tidies up as in /tmp."""
    name = f"game-api-metrics-{os.getpid()}"
    for parent in (os.environ.get("RUNTIME_DIRECTORY"), os.environ.get("XDG_RUNTIME_DIR"), str(Path.cwd())):
        if parent and os.access(parent, os.W_OK):
            return Path(parent) / name
    return Path(tempfile.gettempdir()) / name


_shares_own_folder = "PROMETHEUS_MULTIPROC_DIR" not in os.environ
# prometheus_client looks for it when it is first imported, here with game_api.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(_own_folder()))
Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)

from game_api.metrics import make_folder  # noqa: E402
from game_api.settings import Settings  # noqa: E402
from game_events.fields import MAX_STRING  # noqa: E402
from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

_settings = Settings.from_environment()
_metrics = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])

wsgi_app = "game_api.wsgi:app"
bind = _settings.bind
workers = _settings.workers
worker_class = "game_api.worker.StayingWorker"
threads = _settings.threads
keepalive = _settings.keepalive_seconds
accesslog = _settings.access_log
# A request waits for Kafka that long at most; then the queue is flushed.
graceful_timeout = round(2 * _settings.producer.answer_timeout) + 5
limit_request_line = 8190
# The longest value an event may hold, with its header's name.
limit_request_field_size = MAX_STRING + len("Idempotency-Key: \r\n")
# Nothing is believed that a proxy's headers say of the request; of the client's address, the application decides.
forwarded_allow_ips = ""
# It would be a socket in the home directory that all instances share.
control_socket_disable = True


def on_starting(server: Arbiter) -> None:
    for left_over in _metrics.glob("*.db"):
        left_over.unlink()


def pre_fork(server: Arbiter, worker: Worker) -> None:
    # A worker without it could never count.
    with suppress(OSError):
        make_folder()


def post_worker_init(worker: Worker) -> None:
    worker.header_seconds = _settings.header_timeout_seconds
    worker.body_seconds = _settings.body_timeout_seconds
    # After the fork, which a Kafka producer does not survive, and before the first request.
    worker.wsgi.extensions["event_log"].start()


def worker_exit(server: Arbiter, worker: Worker) -> None:
    if worker.wsgi:
        worker.wsgi.extensions["event_log"].close()


def child_exit(server: Arbiter, worker: Worker) -> None:
    with suppress(OSError):
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Arbiter) -> None:
    if _shares_own_folder:
        shutil.rmtree(_metrics, ignore_errors=True)
