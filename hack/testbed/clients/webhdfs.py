"""Files on HDFS, over WebHDFS: a listing takes milliseconds, while the HDFS shell has to start a JVM."""

import getpass
import json
import time
import urllib.error
import urllib.request
from typing import Any

from testbed.settings import HOST, Settings


def names(settings: Settings, folder: str) -> list[str]:
    """Return the names in a folder; none if it does not exist. Raises OSError while the NameNode is unavailable."""
    try:
        listing = _ask(settings, folder, "LISTSTATUS")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return []
        raise
    return [str(status["pathSuffix"]) for status in listing["FileStatuses"]["FileStatus"]]


def make_folder(settings: Settings, path: str) -> None:
    _ask(settings, path, "MKDIRS", "PUT")


def set_space_quota(settings: Settings, folder: str, size: int) -> None:
    """Limit the bytes in a folder; -1 for no limit. Replicas count, and a block that is being written counts whole."""
    _ask(settings, folder, f"SETQUOTA&storagespacequota={size}", "PUT")


def _ask(settings: Settings, path: str, operation: str, method: str = "GET") -> dict[str, Any]:
    *others, last = settings.namenode_http_ports
    for port in others:
        try:
            return _ask_namenode(port, path, operation, method)
        except urllib.error.HTTPError as error:
            # What a standby answers.
            if error.code != 403:
                raise
        except OSError:
            continue
    return _ask_namenode(last, path, operation, method)


def _ask_namenode(port: int, path: str, operation: str, method: str) -> dict[str, Any]:
    url = f"http://{HOST}:{port}/webhdfs/v1{path}?op={operation}&user.name={getpass.getuser()}"
    request = urllib.request.Request(url, method=method)
    deadline = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return dict(json.loads(answer.read() or b"{}"))
        except urllib.error.HTTPError as error:
            reason = error.read().decode(errors="replace")
            # HDFS's own clients repeat these: a NameNode says that it is active before all of it has started.
            if "RetriableException" not in reason or time.monotonic() > deadline:
                error.add_note(reason)
                raise
            time.sleep(0.1)
