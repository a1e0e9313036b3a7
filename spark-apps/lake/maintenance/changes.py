"""The days that got files since an earlier run, from manifests alone: the rest of the table is not planned again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import SparkSession

from lake import days
from lake.java_class import Java, java_class
from lake.java_iterable import each


@dataclass(frozen=True)
class Changes:
    """`mark` is what a later run gives to `since`; without `days`, any day may have changed."""

    mark: str
    days: frozenset[date] | None


def until_now(mark: str, table: Java) -> str:
    """Return a mark of the same snapshot for a run that committed: a rollback of what it did makes the mark void."""
    return f"{mark}+{table.currentSnapshot().snapshotId()}"


def since(spark: SparkSession, table: Java, mark: str) -> Changes:
    """Return the days that got files after the snapshot that this mark names."""
    current = table.currentSnapshot()
    if current is None:
        return Changes("", frozenset())
    new = str(current.snapshotId())
    known = _ancestor(table, mark)
    if known is None:
        # It has expired, or the table was rolled back.
        return Changes(new, None)
    after = known.sequenceNumber()
    changed = [one for one in current.dataManifests(table.io()) if one.sequenceNumber() > after]
    return Changes(new, frozenset(day for one in changed for day in _days(spark, table, one, after)))


def _ancestor(table: Java, mark: str) -> Java | None:
    """Return the older snapshot of a mark if the history has both."""
    missing = set(mark.split("+"))
    snapshot = table.currentSnapshot()
    while snapshot is not None:
        missing.discard(str(snapshot.snapshotId()))
        if not missing:
            break
        parent = snapshot.parentId()
        snapshot = None if parent is None else table.snapshot(parent)
    return snapshot


def _days(spark: SparkSession, table: Java, manifest: Java, after: int) -> Iterator[date]:
    first, last = bounds(spark, manifest)
    if first == last and not manifest.hasExistingFiles():
        if manifest.hasAddedFiles():
            yield first
        return
    # Manifests that were merged or rewritten have older files too.
    needed = java_class(spark, "java.util.ArrayList")()
    needed.add("partition")
    manifests = java_class(spark, "org.apache.iceberg.ManifestFiles")
    reader = manifests.read(manifest, table.io(), table.specs()).select(needed)
    yield from (days.of(file) for file in each(reader) if file.fileSequenceNumber() > after)


def bounds(spark: SparkSession, manifest: Java) -> days.Range:
    """Return the first and the last day of a manifest's files, from the list of manifests."""
    summary = manifest.partitions().get(0)
    kind = java_class(spark, "org.apache.iceberg.types.Types.DateType").get()
    decode = java_class(spark, "org.apache.iceberg.types.Conversions").fromByteBuffer
    first, last = decode(kind, summary.lowerBound()), decode(kind, summary.upperBound())
    return days.EPOCH + timedelta(days=first), days.EPOCH + timedelta(days=last)
