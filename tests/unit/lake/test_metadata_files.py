"""Which metadata of a lost table was current, beside what failed commits, killed writers and rollbacks leave."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from lake import events_table, history, metadata_files
from lake.events_table import TableError
from lake.metadata_files import AmbiguousError, IncompleteError
from lake.settings import EVENTS, Settings
from pyspark.sql import SparkSession

Metadata = dict[str, Any]


def insert(spark: SparkSession, count: int = 1) -> None:
    for _ in range(count):
        spark.sql(f"INSERT INTO {EVENTS} (family, received_at, kafka_partition) VALUES ('joins', now(), 0)")


def current(spark: SparkSession) -> str:
    """The path that the table's own catalog has."""
    return str(history.table(spark).operations().current().metadataFileLocation())


def newest(spark: SparkSession, events: Path) -> str:
    found = metadata_files.newest(spark, f"file:{events}")
    assert found is not None
    return found.path


def leave(spark: SparkSession, events: Path, change: Callable[[Metadata], object], name: str = "v99") -> str:
    """Leave a changed copy of the current metadata, which was not committed; return its path."""
    content = json.loads(gzip.decompress(Path(current(spark).removeprefix("file:")).read_bytes()))
    change(content)
    path = events / "metadata" / f"{name}.gz.metadata.json"
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    return f"file:{path}"


def later(metadata: Metadata) -> None:
    metadata["last-updated-ms"] += 1000


def test_the_last_commit(spark: SparkSession, events: Path) -> None:
    """The last commit's metadata is found, whether compressed or not, also after a rollback."""
    assert metadata_files.newest(spark, f"file:{events}") is None
    spark.sql(f"ALTER TABLE {EVENTS} SET TBLPROPERTIES ('write.metadata.compression-codec'='none')")
    insert(spark)
    assert newest(spark, events) == current(spark)
    spark.sql(f"ALTER TABLE {EVENTS} SET TBLPROPERTIES ('write.metadata.compression-codec'='gzip')")
    first = history.table(spark).currentSnapshot().snapshotId()
    insert(spark, 2)
    assert newest(spark, events) == current(spark)
    history.table(spark).manageSnapshots().rollbackTo(first).commit()
    assert newest(spark, events) == current(spark)


def test_what_a_refused_commit_leaves(spark: SparkSession, events: Path) -> None:
    """Newer metadata with a higher number was not committed if the files of its snapshot do not exist."""
    insert(spark, 2)

    def refused(metadata: Metadata) -> None:
        later(metadata)
        metadata["snapshots"][-1]["manifest-list"] = f"file:{events}/metadata/snap-deleted.avro"

    leave(spark, events, refused)
    (events / "metadata/v98.gz.metadata.json").write_bytes(gzip.compress(b'{"location": "')[:12])
    assert newest(spark, events) == current(spark)


def test_what_a_killed_writer_left_earlier(spark: SparkSession, events: Path) -> None:
    """Metadata that was replaced by nobody, but is older than what the current one replaced, was never current."""
    insert(spark)
    leave(spark, events, lambda _: None)
    insert(spark, 2)
    assert newest(spark, events) == current(spark)


def test_two_that_may_have_been_current(spark: SparkSession, events: Path) -> None:
    """If two writers replaced the same metadata, and both have all their files, a person has to choose."""
    insert(spark, 2)
    left = leave(spark, events, later)
    with pytest.raises(AmbiguousError) as refusal:
        newest(spark, events)
    assert str(refusal.value) == ", ".join(sorted([current(spark), left]))


def test_files_that_are_missing(spark: SparkSession, events: Path) -> None:
    """Metadata that names a file that is gone is not registered unless a person chooses it: queries would fail."""
    insert(spark)
    next(events.glob("data/**/*.parquet")).unlink()
    with pytest.raises(IncompleteError) as refusal:
        newest(spark, events)
    assert str(refusal.value) == current(spark)
    settings = cast(Settings, SimpleNamespace(events_location=f"file:{events}"))
    with pytest.raises(TableError, match="files that it names are missing"):
        events_table.register(spark, settings, "")


def test_metadata_of_another_file_system(spark: SparkSession, events: Path) -> None:
    """Metadata whose paths name another file system is not registered: they would be read from there."""
    insert(spark)

    def elsewhere(metadata: Metadata) -> None:
        metadata["location"] = metadata["location"].replace("file:", "hdfs://namenode:8020")

    left = leave(spark, events, elsewhere)
    settings = cast(Settings, SimpleNamespace(events_location=f"file:{events}"))
    with pytest.raises(TableError, match="has the path hdfs://namenode:8020/") as refusal:
        events_table.register(spark, settings, left)
    assert f"tables.py --register {left} --move" in str(refusal.value)


def test_a_file_that_is_no_metadata(spark: SparkSession, events: Path) -> None:
    """A path that does not exist, or is no metadata, is refused by name."""
    other = events / "other.json"
    other.write_text("[]")
    settings = cast(Settings, SimpleNamespace(events_location=f"file:{events}"))
    for path in (f"file:{other}", f"file:{events}/missing.json"):
        with pytest.raises(TableError, match=path):
            events_table.register(spark, settings, path)
