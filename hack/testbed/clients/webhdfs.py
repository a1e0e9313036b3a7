"""Files on HDFS, asked of the NameNode over HTTP: a listing takes milliseconds, where the shell starts a JVM."""

import getpass
import json
import urllib.error
import urllib.request
from typing import Any

from testbed.settings import HOST, Settings


def names(settings: Settings, folder: str) -> list[str]:
    """Return the names in a folder; none if there is no such folder. OSError while the NameNode is away."""
    try:
        listing = _ask(settings, folder, "LISTSTATUS")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return []
        raise
    return [str(status["pathSuffix"]) for status in listing["FileStatuses"]["FileStatus"]]


def read(settings: Settings, path: str) -> str:
    with urllib.request.urlopen(_url(settings, path, "OPEN"), timeout=10) as answer:  # noqa: S310
        return str(answer.read().decode())


def delete(settings: Settings, path: str) -> bool:
    """Delete a file or a folder with all that is in it; false if it was not there."""
    return bool(_ask(settings, path, "DELETE&recursive=true", "DELETE")["boolean"])


def make_folder(settings: Settings, path: str) -> None:
    _ask(settings, path, "MKDIRS", "PUT")


def set_space_quota(settings: Settings, folder: str, size: int) -> None:
    """Let a folder hold so many bytes, replicas and the whole of a block that is begun included; -1 for any number."""
    _ask(settings, folder, f"SETQUOTA&storagespacequota={size}", "PUT")


def _ask(settings: Settings, path: str, operation: str, method: str = "GET") -> dict[str, Any]:
    request = urllib.request.Request(_url(settings, path, operation), method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return dict(json.loads(answer.read() or b"{}"))


def _url(settings: Settings, path: str, operation: str) -> str:
    namenode = f"http://{HOST}:{settings.ports.namenode_http}"
    return f"{namenode}/webhdfs/v1{path}?op={operation}&user.name={getpass.getuser()}"
