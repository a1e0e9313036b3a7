"""Files on HDFS, over WebHDFS: a listing takes milliseconds, while the HDFS shell has to start a JVM."""

import getpass
import json
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
    request = urllib.request.Request(_url(settings, path, operation), method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return dict(json.loads(answer.read() or b"{}"))


def _url(settings: Settings, path: str, operation: str) -> str:
    namenode = f"http://{HOST}:{settings.ports.namenode_http}"
    return f"{namenode}/webhdfs/v1{path}?op={operation}&user.name={getpass.getuser()}"
