"""The table's metadata: manifests, snapshots, and files that belong to no snapshot.

Before snapshots expire, the current one says all that their summaries say about the topic.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession

from lake.events_writer import carry
from lake.java_class import java_class
from lake.settings import EVENTS

_KEPT = 20
"""Snapshots that are kept whatever their age: writers check what was committed since the one they read."""


def rewrite_manifests(spark: SparkSession) -> str:
    """Rewrite all manifests."""
    done = spark.sql(f"CALL lake.system.rewrite_manifests(table => '{EVENTS}')").first()
    return f"{_number(done, 'rewritten_manifests_count')} manifests became {_number(done, 'added_manifests_count')}"


def expire(spark: SparkSession, older_than: datetime, kept: int = _KEPT) -> str:
    """Expire older snapshots, and delete the files that only they refer to."""
    carry(spark)
    before = spark.table(f"{EVENTS}.snapshots").count()
    done: Any = spark.sql(
        f"CALL lake.system.expire_snapshots(table => '{EVENTS}', older_than => {_literal(older_than)}, "
        f"retain_last => {kept})"
    ).first()
    after = spark.table(f"{EVENTS}.snapshots").count()
    return f"{before} snapshots, now {after}; {sum(done)} files deleted"


def thin_out(spark: SparkSession, older_than: datetime) -> str:
    """Expire older appends whose rows the next append has, too: time travel gets coarser, and no data file is deleted.

    The last append before other changes stays, because it may be the only one that names the files that they replaced.
    """
    table, _ = carry(spark)
    ids = _contained(table, int(older_than.timestamp() * 1000))
    if ids:
        level = java_class(spark, "org.apache.iceberg.ExpireSnapshots.CleanupLevel")
        expiry = table.expireSnapshots().cleanupLevel(level.METADATA_ONLY)
        for number in ids:
            expiry.expireSnapshotId(number)
        expiry.commit()
    return f"{len(ids)} appends expired"


def _contained(table: Any, older_than: int) -> list[int]:  # noqa: ANN401 Java's
    """Return the ids of the appends before a time, in milliseconds, that another append follows."""
    found = []
    child = table.currentSnapshot()
    while child is not None and child.parentId() is not None and (one := table.snapshot(child.parentId())) is not None:
        if one.operation() == child.operation() == "append" and one.timestampMillis() < older_than:
            found.append(int(one.snapshotId()))
        child = one
    return found


def past(spark: SparkSession) -> list[int]:
    """Return the ids of all snapshots but the one that is current now."""
    table, state = carry(spark)
    return [number for one in table.snapshots() if (number := int(one.snapshotId())) != state.snapshot]


def expire_exactly(spark: SparkSession, ids: Sequence[int]) -> str:
    """Expire exactly these snapshots, and delete the files that only they refer to."""
    if not ids:
        return "only the current snapshot exists"
    done: Any = spark.sql(
        f"CALL lake.system.expire_snapshots(table => '{EVENTS}', snapshot_ids => ARRAY({', '.join(map(str, ids))}))"
    ).first()
    return f"{len(ids)} snapshots expired; {sum(done)} files deleted"


def remove_orphans(spark: SparkSession, older_than: datetime, name: str = EVENTS) -> str:
    """Delete older files under a table's location that belong to no snapshot: killed writers leave them."""
    removed = spark.sql(
        f"CALL lake.system.remove_orphan_files(table => '{name}', older_than => {_literal(older_than)})"
    )
    return f"{removed.count()} files deleted"


def _number(row: Any, name: str) -> int:  # noqa: ANN401 a Row, or None if nothing was done
    return int(row[name]) if row else 0


def _literal(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
