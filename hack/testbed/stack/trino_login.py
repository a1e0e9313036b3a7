"""The login of a stack's Trino: the Secrets that it has on a cluster, as files, and the settings of their readers."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from game_trino.login import certificate, passwords
from game_trino.users import USERS

from testbed.settings import HOST, Settings


def of_server(settings: Settings) -> dict[str, str]:
    if not settings.trino_login:
        # The user's own.
        return {"TRINO_LOGIN": ""}
    secrets = settings.trino_secrets
    return {
        "TRINO_LOGIN": str(secrets),
        "TRINO_TLS": str(secrets),
        "TRINO_HTTPS_PORT": str(settings.ports.trino_https),
        "TRINO_SHARED_SECRET": _read(settings, "shared-secret"),
    }


def of_client(settings: Settings, user: str) -> dict[str, str]:
    """Return the settings of a client that connects as this user."""
    ca = str(settings.trino_secrets / "ca.crt") if settings.trino_login else ""
    password = _read(settings, user) if settings.trino_login else ""
    return {"TRINO_URL": settings.trino_url, "TRINO_PASSWORD": password, "TRINO_CA_LOCATION": ca}


def _read(settings: Settings, name: str) -> str:
    folder = settings.trino_secrets
    if not folder.exists():
        write(folder, {**passwords(USERS), **certificate([HOST, "localhost"]).secret()})
    return (folder / name).read_text()


def write(folder: Path, secrets: Mapping[str, str]) -> None:
    """Make the folder, with all of its files at once, unless it has them."""
    if all((folder / name).exists() and (folder / name).read_text() == text for name, text in secrets.items()):
        return
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    for name, text in secrets.items():
        (partial / name).write_text(text)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
