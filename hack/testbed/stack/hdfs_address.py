"""The HDFS address of a data folder: the metadata of its tables contains it in every path."""

from pathlib import Path

from testbed.settings import Settings, SettingsError


def check(settings: Settings) -> None:
    """Raise SettingsError if the tables were created at another address."""
    path = _path(settings)
    created = path.read_text().strip() if path.exists() else settings.hdfs_uri
    if created != settings.hdfs_uri:
        port = created.rpartition(":")[2]
        raise SettingsError(
            f"NAMENODE_PORT: expected {port}, got {settings.ports.namenode}: the tables in {settings.data} "
            f"were created at {created}, which is in the paths of their files.\n"
            f"Start with NAMENODE_PORT={port}, or set GAMELAKE_DATA to an empty folder."
        )


def is_new(settings: Settings) -> bool:
    """Tell whether the data folder has no HDFS yet."""
    return not (settings.data / "namenode").exists()


def store(settings: Settings) -> None:
    """Store the address, unless one is stored."""
    if not _path(settings).exists():
        _path(settings).write_text(f"{settings.hdfs_uri}\n")


def _path(settings: Settings) -> Path:
    return settings.data / "hdfs-address"
