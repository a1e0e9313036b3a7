"""The queue of events on disk, in SQLite: one file, one client at a time."""

import ctypes
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from game_client.drops import Dropped, Reason
from game_client.errors import ForkedError, OtherPlayerError, QueueInUseError

MOST_RANGES = 10_000
"""The newest ranges of dropped events are kept."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value);
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY, session_id TEXT, sequence INTEGER, body BLOB, in_doubt_since INTEGER);
CREATE TABLE IF NOT EXISTS dropped (
    position INTEGER PRIMARY KEY, session_id TEXT, first INTEGER, last INTEGER, reason TEXT, detail TEXT, at INTEGER);
"""


class Queued(NamedTuple):
    """An event of the queue; `body` is its JSON, and `in_doubt_since` the time of the first doubtful attempt."""

    position: int
    session_id: str
    sequence: int
    body: bytes
    in_doubt_since: int | None


class Drop(NamedTuple):
    event: Queued
    reason: Reason
    detail: str


class Queue:
    """Every change is one transaction, which survives the death of the process and of the machine."""

    def __init__(self, path: Path, player: str | None) -> None:
        self._path = path
        self._process = os.getpid()
        self._connection = _open(path)
        try:
            self.belong_to(player)
        except BaseException:
            self._connection.close()
            raise
        os.register_at_fork(after_in_child=self._leak)
        [(self.events, self.bytes)] = self._connection.execute(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM events"
        )

    def belong_to(self, player: str | None) -> None:
        """Note the queue's player; raise OtherPlayerError if it has another one."""
        owner = self.fact("player")
        if owner is not None and owner != (player or ""):
            raise OtherPlayerError(f"path: expected the queue of {player!r}, got that of {owner!r}: {self._path}")
        self.set_fact("player", player or "")

    def fact(self, name: str) -> str | None:
        found = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def set_fact(self, name: str, value: str) -> None:
        with self._transaction() as connection:
            connection.execute("REPLACE INTO facts VALUES (?, ?)", (name, value))

    def append(self, session_id: str, sequence: int, body: bytes) -> None:
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO events (session_id, sequence, body) VALUES (?, ?, ?)", (session_id, sequence, body)
            )
        self.events += 1
        self.bytes += len(body)

    def drop_new(self, session_id: str, sequence: int, reason: Reason, at: int) -> None:
        """Name an event as dropped that was never stored."""
        with self._transaction() as connection:
            _name(connection, session_id, sequence, reason, "", at)

    def oldest(self, most_events: int, most_bytes: int) -> list[Queued]:
        """Return the oldest events, one at least if there is any."""
        found: list[Queued] = []
        rows = self._connection.execute("SELECT * FROM events ORDER BY position LIMIT ?", (most_events,))
        for event in map(Queued._make, rows):
            most_bytes -= len(event.body)
            if found and most_bytes < 0:
                break
            found.append(event)
        return found

    def doubt(self, batch: Sequence[Queued], now: int) -> None:
        """Mark the events of a batch as in doubt since now, unless they are already."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE events SET in_doubt_since = ? WHERE position = ?",
                [(now, event.position) for event in batch if event.in_doubt_since is None],
            )

    def doubted(self, since: int, until: int) -> list[Queued]:
        """Return the events that are in doubt since a time outside of this period."""
        rows = self._connection.execute(
            "SELECT * FROM events WHERE in_doubt_since NOT BETWEEN ? AND ? ORDER BY position", (since, until)
        )
        return [Queued._make(row) for row in rows]

    def settle(self, done: Iterable[Queued], drops: Iterable[Drop], unwritten: Iterable[Queued], now: int) -> None:
        """Remove what is done, drop what is named, and restore the mark of what was not written."""
        drops = list(drops)
        removed = [*done, *(drop.event for drop in drops)]
        with self._transaction() as connection:
            connection.executemany("DELETE FROM events WHERE position = ?", [(event.position,) for event in removed])
            for event, reason, detail in drops:
                _name(connection, event.session_id, event.sequence, reason, detail, now)
            connection.executemany(
                "UPDATE events SET in_doubt_since = NULL WHERE position = ?",
                [(event.position,) for event in unwritten if event.in_doubt_since is None],
            )
        self.events -= len(removed)
        self.bytes -= sum(len(event.body) for event in removed)

    def dropped(self) -> list[Dropped]:
        rows = self._connection.execute(
            "SELECT session_id, first, last, reason, detail, at FROM dropped ORDER BY position"
        )
        return [Dropped._make(row) for row in rows]

    def forget(self) -> None:
        """Delete everything but the player's token."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM events")
            connection.execute("DELETE FROM dropped")
            connection.execute("DELETE FROM facts WHERE name <> 'token'")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.events = self.bytes = 0

    def close(self) -> None:
        if os.getpid() == self._process:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if os.getpid() != self._process:
            raise ForkedError("the client was made before a fork: make one with another path in the child")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _leak(self) -> None:
        # A child that closed it, even as it ends, would delete the write-ahead log of its parent.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(_SCHEMA)
    except sqlite3.OperationalError as error:
        connection.close()
        if "locked" in str(error):
            raise QueueInUseError(f"path: another client has the queue open: {path}") from None
        raise
    return connection


def _name(connection: sqlite3.Connection, session_id: str, sequence: int, reason: Reason, detail: str, at: int) -> None:
    """Add an event to the list of what was dropped: to its last range, if it continues that."""
    last = connection.execute(
        "SELECT position, session_id, last, reason, detail FROM dropped ORDER BY position DESC LIMIT 1"
    ).fetchone()
    if last and last[1:] == (session_id, sequence - 1, reason, detail):
        connection.execute("UPDATE dropped SET last = ?, at = ? WHERE position = ?", (sequence, at, last[0]))
    else:
        made = connection.execute(
            "INSERT INTO dropped (session_id, first, last, reason, detail, at) VALUES (?, ?, ?, ?, ?, ?)",
            (session_id, sequence, sequence, str(reason), detail, at),
        )
        connection.execute("DELETE FROM dropped WHERE position <= ?", ((made.lastrowid or 0) - MOST_RANGES,))
    connection.execute("INSERT INTO facts VALUES ('dropped', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1")
