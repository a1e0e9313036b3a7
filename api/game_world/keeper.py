"""The keeper of the snapshots: takes one when it is due, and gives a store the world that it has lost."""

import logging
import time
from collections.abc import Mapping

from redis.exceptions import RedisError

from game_world.snapshots import KEPT, Snapshot, SnapshotError, Snapshots
from game_world.store import Store

_log = logging.getLogger(__name__)

_FAR = 1_000_000
"""Events that a store may lack before a snapshot is faster than reading them."""
_SHARE = 10
"""At most one in so many seconds goes to snapshots, as nothing is projected meanwhile."""
_PAUSE = 60.0
"""Seconds before the next attempt, after a snapshot could not be taken."""


class Keeper:
    """Every method raises RedisError."""

    def __init__(self, store: Store, snapshots: Snapshots | None, seconds: float) -> None:
        self._store = store
        self._snapshots = snapshots
        self._seconds = seconds
        self._failed = -_PAUSE
        self._took = 0.0

    def claim(self, topic_id: str, held: Mapping[int, range]) -> None:
        """Claim the store for the topic of which Kafka holds these offsets, and restore its world if it lacks too much.

        Raises StoreRefusedError.
        """
        had = self._store.positions() if self._store.holds(topic_id) else None
        snapshot = self._needed(topic_id, had, held)
        if had is not None and snapshot:
            _log.error(f"the store has gone back to {dict(had)}: its world is replaced")
        fill = (lambda token: snapshot.restore(self._store, token)) if snapshot else None
        started = time.monotonic()
        if not self._store.claim(topic_id, fill, again=had is not None and snapshot is not None):
            return
        if snapshot:
            seconds = time.monotonic() - started
            _log.info(f"the world was restored from {snapshot.file} in {seconds:.1f} s: {dict(snapshot.positions)}")
            if any(snapshot.positions.get(partition, 0) < offsets.start for partition, offsets in held.items()):
                _log.error(f"{snapshot.file} is older than the records that Kafka still has")
        else:
            _log.info(f"a new world of topic {topic_id}")

    def _needed(self, topic_id: str, had: Mapping[int, int] | None, held: Mapping[int, range]) -> Snapshot | None:
        """Return the snapshot that the store needs, if any: it has no world, or one that is too far behind."""
        if not self._snapshots:
            return None
        ends = {partition: offsets.stop for partition, offsets in held.items()}
        if had is None:
            return self._snapshots.newest(topic_id, ends)
        has_gap = any(had.get(partition, 0) < offsets.start for partition, offsets in held.items())
        if not has_gap and _ahead(ends, had) < _FAR:
            return None
        snapshot = self._snapshots.newest(topic_id, ends)
        if not snapshot or any(snapshot.positions.get(partition, 0) < offset for partition, offset in had.items()):
            return None
        return snapshot if _ahead(snapshot.positions, had) >= (1 if has_gap else _FAR) else None

    def keep(self, topic_id: str) -> None:
        """Take a snapshot of the world, which has caught up with its topic, if one is due.

        One is due as well when a player was forgotten: then the earlier ones are deleted.
        """
        forgotten, purged = self._store.forgettings()
        if self._snapshots and (forgotten > purged or self._is_due(self._snapshots)):
            if time.monotonic() - self._failed < _PAUSE and forgotten <= purged:
                return
            try:
                self._take(self._snapshots, topic_id, 1 if forgotten > purged else KEPT)
            except (OSError, RedisError, SnapshotError) as error:
                self._failed = time.monotonic()
                _log.error(f"no snapshot was taken: {error}")
                return
        if forgotten > purged:
            self._store.set_purged(forgotten)

    def _is_due(self, snapshots: Snapshots) -> bool:
        try:
            age = snapshots.age()
        except OSError:
            # Taking one says why.
            return True
        # After the clock went back, the newest one seems to be of the future.
        return age is None or not 0 <= age < max(self._seconds, _SHARE * self._took)

    def _take(self, snapshots: Snapshots, topic_id: str, keep: int) -> None:
        started = time.monotonic()
        entries = snapshots.take(topic_id, keep)
        self._took = time.monotonic() - started
        _log.info(f"a snapshot of {entries} entries was taken in {self._took:.1f} s")


def _ahead(positions: Mapping[int, int], others: Mapping[int, int]) -> int:
    """Return by how many offsets positions are ahead of others."""
    return sum(max(0, offset - others.get(partition, 0)) for partition, offset in positions.items())
