"""The address of HDFS under which the data folder's tables were made: they name their files by it."""

from pathlib import Path

from testbed.settings import Settings, SettingsError


def check(settings: Settings) -> None:
    """Raise SettingsError for data that was made under another address."""
    path = _path(settings)
    made = path.read_text().strip() if path.exists() else settings.hdfs_uri
    if made != settings.hdfs_uri:
        port = made.rpartition(":")[2]
        raise SettingsError(
            f"NAMENODE_PORT: expected {port}, got {settings.ports.namenode}: the tables in {settings.data} "
            f"were made at {made} and name their files by it.\n"
            f"Start with NAMENODE_PORT={port}, or name an empty folder as GAMELAKE_DATA."
        )


def is_new(settings: Settings) -> bool:
    """Whether there is no HDFS yet."""
    return not (settings.data / "namenode").exists()


def note(settings: Settings) -> None:
    """Keep the address, once."""
    if not _path(settings).exists():
        _path(settings).write_text(f"{settings.hdfs_uri}\n")


def _path(settings: Settings) -> Path:
    return settings.data / "hdfs-address"
