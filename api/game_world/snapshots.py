"""Snapshots of the world: its state and its positions in the topic, from which a lost store is restored in seconds."""

import gzip
import logging
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

import orjson

from game_world.store import PREFIX, Json, Store

_log = logging.getLogger(__name__)

FORMAT = 1
"""The version of the files' format; the store's layout has one of its own."""
KEPT = 3
"""Snapshots that are kept: if the newest is damaged, an earlier one is used."""
_STEP = 100
"""Entries that are restored in one call."""
_BEGIN, _END = "world-", ".json.gz"
_DAMAGE = (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, StopIteration)
"""What reading a damaged file may raise."""


class SnapshotError(Exception):
    """The snapshot is of no use."""


@dataclass(frozen=True)
class Snapshot:
    """A file that is whole: gzipped lines of JSON objects.

    The first is {format, layout, topic, positions}, then come the entries of save.lua, then {entries, sha256}: how many
    there are, and the digest of all lines before.
    """

    file: Path
    positions: Mapping[int, int]

    def restore(self, store: Store, token: str) -> Mapping[int, int]:
        """Restore the world in a store that is being claimed with this token; return its positions."""
        with gzip.open(self.file, "rb") as lines:
            next(lines)
            while entries := [*islice(lines, _STEP)]:
                store.restore(token, [entry for entry in entries if not entry.startswith(b'{"entries"')])
        return self.positions


class Snapshots:
    """The snapshots in a folder. Each file appears there as a whole."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self.folder = folder

    def age(self) -> float | None:
        """Return how many seconds ago the newest snapshot was taken, if there is any. Raises OSError."""
        files = self._files()
        # Not the number, which may be of the future after the clock went back.
        return time.time() - files[0].stat().st_mtime if files else None

    def take(self, topic_id: str, keep: int = KEPT) -> int:
        """Save the world of this topic, and leave no more than `keep` snapshots; return the number of entries.

        Only what the topic says is saved, without pending decisions. Raises RedisError, OSError and SnapshotError.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / "unfinished"
        try:
            entries = self._write(unfinished, topic_id)
            files = self._files()
            # Even if the clock goes back, the newest one has the greatest number.
            number = max(round(time.time() * 1000), _number(files[0]) + 1 if files else 0)
            unfinished.replace(self.folder / f"{_BEGIN}{number:013d}{_END}")
        finally:
            unfinished.unlink(missing_ok=True)
        for file in self._files()[keep:]:
            file.unlink()
        _sync(self.folder)
        return entries

    def newest(self, topic_id: str, ends: Mapping[int, int]) -> Snapshot | None:
        """Return the newest snapshot of the topic with these ends; those that are of no use are logged."""
        try:
            files = self._files()
        except OSError as error:
            _log.error(f"the snapshots cannot be read: {error}")
            return None
        for file in files:
            try:
                return Snapshot(file, _checked(file, topic_id, ends))
            except SnapshotError as error:
                _log.error(f"{file}: {error}: it is not used")
            except _DAMAGE as error:
                _log.error(f"{file}: it is damaged ({type(error).__name__}: {error}): it is not used")
        return None

    def _files(self) -> list[Path]:
        """Return the files, newest first."""
        found = [path for path in self.folder.glob(f"{_BEGIN}*{_END}") if _is_numbered(path)]
        return sorted(found, key=_number, reverse=True)

    def _write(self, unfinished: Path, topic_id: str) -> int:
        positions = self._store.positions()
        if not positions or not self._store.holds(topic_id):
            # An empty snapshot would take the place of the one that is needed now.
            raise SnapshotError("the store has lost the world")
        # The head is no entry.
        entries, digest = -1, sha256()
        with unfinished.open("wb") as raw:
            with gzip.open(raw, "wb", compresslevel=1) as file:
                for lines in self._lines(_head(topic_id, positions)):
                    text = b"".join(lines)
                    digest.update(text)
                    file.write(text)
                    entries += len(lines)
                file.write(orjson.dumps({"entries": entries, "sha256": digest.hexdigest()}) + b"\n")
            os.fsync(raw.fileno())
        if self._store.positions() != positions:
            raise SnapshotError("the store has lost the world meanwhile, or another projection was here")
        return entries

    def _lines(self, head: Json) -> Iterator[list[bytes]]:
        yield [orjson.dumps(head) + b"\n"]
        for saved in self._store.save():
            yield [f"{entry}\n".encode() for entry in saved]


def _head(topic_id: str, positions: Mapping[int, int]) -> Json:
    places = {str(partition): offset for partition, offset in positions.items()}
    return {"format": FORMAT, "layout": PREFIX, "topic": topic_id, "positions": places}


def _checked(file: Path, topic_id: str, ends: Mapping[int, int]) -> dict[int, int]:
    """Return the positions of a snapshot that is whole and of this topic.

    Raises SnapshotError and, for a file that cannot be read, what is in _DAMAGE.
    """
    with gzip.open(file, "rb") as lines:
        first = next(lines)
        head = orjson.loads(first)
        for name, expected in _head(topic_id, {}).items():
            if name != "positions" and head[name] != expected:
                raise SnapshotError(f"{name}: expected {expected}, got {head[name]}")
        positions = {int(partition): int(offset) for partition, offset in head["positions"].items()}
        digest, entries, last = sha256(), -1, first
        for line in lines:
            digest.update(last)
            entries, last = entries + 1, line
    if orjson.loads(last) != {"entries": entries, "sha256": digest.hexdigest()}:
        raise SnapshotError("the checksum is wrong")
    for partition, offset in positions.items():
        if offset > ends.get(partition, 0):
            raise SnapshotError(
                f"it was taken at offset {offset} of partition {partition}, which ends at {ends.get(partition, 0)}: "
                "the topic has gone back"
            )
    return positions


def _is_numbered(file: Path) -> bool:
    return file.name[len(_BEGIN) : -len(_END)].isdecimal()


def _number(file: Path) -> int:
    """Return the milliseconds since the epoch at which a snapshot was taken."""
    return int(file.name[len(_BEGIN) : -len(_END)])


def _sync(folder: Path) -> None:
    """Put the folder's entries on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
