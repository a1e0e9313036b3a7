"""gunicorn's configuration, from the settings in game_api/settings.py."""

import gc
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]


def _own_folder() -> Path:
    """Choose a folder for the metrics that, unlike /tmp, nothing cleans up."""
    name = f"game-api-metrics-{os.getpid()}"
    for parent in (os.environ.get("RUNTIME_DIRECTORY"), os.environ.get("XDG_RUNTIME_DIR"), str(Path.cwd())):
        if parent and os.access(parent, os.W_OK):
            return Path(parent) / name
    return Path(tempfile.gettempdir()) / name


_shares_own_folder = "PROMETHEUS_MULTIPROC_DIR" not in os.environ
# prometheus_client reads the variable when it is first imported, here with game_api.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(_own_folder()))
Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)

from game_api.front.access_log import FORMAT  # noqa: E402
from game_api.front.limits import REQUEST_FIELD, REQUEST_LINE  # noqa: E402
from game_api.front.worker import hold_stop_signals_during_forks  # noqa: E402
from game_api.identity.exposure import warnings  # noqa: E402
from game_api.metrics import make_folder  # noqa: E402
from game_api.settings import PREFIXES, Settings  # noqa: E402
from game_settings.logs import formatter  # noqa: E402
from game_settings.start import start  # noqa: E402
from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

_settings = start(Settings, PREFIXES)
_metrics = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])


class _Logger(Logger):  # type: ignore[misc]
    """Writes gunicorn's own lines in the format of the application's log."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        log = _settings.log
        # Text lines of the access log stay as many tools read them.
        for logger in [self.error_log, self.access_log] if log.format == "json" else [self.error_log]:
            for handler in logger.handlers:
                handler.setFormatter(formatter(log))


wsgi_app = "game_api.main:app"
bind = _settings.binds
workers = _settings.workers
worker_class = "game_api.front.worker.LoopWorker"
# Connections of each worker; beyond that clients wait to be accepted.
worker_connections = 4000
# The parser in C loses requests (game_api/front/worker.py).
http_parser = "python"
keepalive = _settings.keepalive_seconds
accesslog = _settings.access_log
access_log_format = FORMAT
loglevel = _settings.log.level.lower()
logger_class = _Logger
# A request waits this long for Kafka at most; then the queue is flushed.
graceful_timeout = round(2 * _settings.producer.answer_timeout) + 5
limit_request_line = REQUEST_LINE
limit_request_field_size = REQUEST_FIELD
# No proxy's headers about the request are trusted; the application decides about the client's address.
forwarded_allow_ips = ""
# Its socket would be in the home directory, which all instances share.
control_socket_disable = True


def on_starting(server: Arbiter) -> None:
    for warning in warnings(_settings.identity, _settings.bind):
        server.log.warning(warning)
    for stale in _metrics.glob("*.db"):
        stale.unlink()
    hold_stop_signals_during_forks()


def pre_fork(server: Arbiter, worker: Worker) -> None:
    # A worker without the folder could never count.
    with suppress(OSError):
        make_folder()


def post_worker_init(worker: Worker) -> None:
    worker.settings = _settings
    # After the fork, which a Kafka producer does not survive, and before the first request.
    worker.asgi.log.start()
    worker.asgi.identity.start()
    # What exists by now stays: to search it for garbage takes a twentieth of the time, and stops the loop for 30 ms.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def worker_exit(server: Arbiter, worker: Worker) -> None:
    if app := getattr(worker, "asgi", None):
        app.log.close()


def child_exit(server: Arbiter, worker: Worker) -> None:
    with suppress(OSError):
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Arbiter) -> None:
    if _shares_own_folder:
        shutil.rmtree(_metrics, ignore_errors=True)
