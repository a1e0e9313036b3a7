"""Tables whose paths are moved to another name of the file system: from `file:` to a `viewfs:` of the same files."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from lake import events_table, history, relocation
from lake.events_table import TableError
from lake.maintenance import snapshots
from lake.settings import EVENTS
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

NEW = "viewfs://lake"


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> Iterator[Path]:
    """The directory of a table with rows in two files and, of one of them, a row that is marked deleted."""
    # A catalog of files, as other tests have it, has fixed locations. This is a metastore in this process, whose
    # database logs to the working directory unless told otherwise.
    spark._jvm.java.lang.System.setProperty("derby.stream.error.file", str(tmp_path / "derby.log"))
    conf = {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "hive", ".cache-enabled": "false"}
    conf[".warehouse"] = f"file:{tmp_path}"
    conf[".hadoop.javax.jdo.option.ConnectionURL"] = f"jdbc:derby:memory:{uuid4()};create=true"
    conf[".hadoop.datanucleus.schema.autoCreateAll"] = "true"
    conf[".hadoop.hive.metastore.schema.verification"] = "false"
    view = {"fs.viewfs.mounttable.lake.linkFallback": "file:///"}
    conf |= {f".hadoop.{key}": value for key, value in view.items()}
    settings = {f"spark.sql.catalog.lake{key}": value for key, value in conf.items()} | view
    for key, value in settings.items():
        spark.conf.set(key, value)
    spark._jsparkSession.sessionState().catalogManager().reset()
    spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.default")
    spark.sql(events_table.definition(f"file:{tmp_path}/events"))
    for offset in range(6):
        insert(spark, offset)
    spark.sql(f"ALTER TABLE {EVENTS} SET TBLPROPERTIES ('write.delete.mode'='merge-on-read')")
    spark.sql(f"DELETE FROM {EVENTS} WHERE kafka_offset = 100")
    yield tmp_path / "events"
    spark.sql(f"DROP TABLE {EVENTS}")
    for key in settings:
        spark.conf.unset(key)


def insert(spark: SparkSession, offset: int) -> None:
    columns = "family, received_at, kafka_partition, kafka_offset"
    spark.sql(
        f"INSERT INTO {EVENTS} ({columns}) SELECT 'joins', timestamp '2026-01-01 12:00:00', 0, {offset} + n "
        "FROM (SELECT explode(array(0, 100)) AS n)"
    )


def offsets(spark: SparkSession) -> list[int]:
    return [row[0] for row in spark.sql(f"SELECT kafka_offset FROM {EVENTS} ORDER BY 1").collect()]


def paths(spark: SparkSession) -> set[str]:
    """Every path in the table's metadata, those of deleted files included."""
    queries = [
        f"SELECT file_path FROM {EVENTS}.all_files",
        f"SELECT path FROM {EVENTS}.all_manifests",
        f"SELECT manifest_list FROM {EVENTS}.snapshots",
        f"SELECT file FROM {EVENTS}.metadata_log_entries",
        f"SELECT data_file.file_path FROM {EVENTS}.all_entries",
    ]
    found = {row[0] for query in queries for row in spark.sql(query).collect()}
    return {*found, history.table(spark).location()}


def test_a_table_is_moved(spark: SparkSession, table: Path) -> None:
    """Every path has the new name and all rows are read, also after new ones, expiry, and a hunt for orphans."""
    before = offsets(spark)
    assert {path.partition(str(table))[0] for path in paths(spark)} == {"file:"}
    assert relocation.move(spark, EVENTS, NEW, 0).endswith(f"files are now at {NEW}")
    assert offsets(spark) == before
    assert {path.partition(str(table))[0] for path in paths(spark)} == {NEW}
    assert relocation.move(spark, EVENTS, NEW, 0) == f"is at {NEW}"

    assert not {"gc.enabled", "write.metadata.previous-versions-max"} & history.table(spark).properties().keys()
    insert(spark, 50)
    later = datetime.now(UTC) + timedelta(seconds=1)
    snapshots.expire(spark, later, 1)
    snapshots.remove_orphans(spark, datetime.now(UTC) - timedelta(days=2))
    assert offsets(spark) == sorted([*before, 50, 150])
    assert {path.partition(str(table))[0] for path in paths(spark)} == {NEW}


def test_a_writer_that_goes_on(spark: SparkSession, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are committed while a table is moved stay, and are moved too; no snapshot expires meanwhile."""
    before, write = offsets(spark), relocation._rewritten

    def meanwhile(*arguments: object) -> object:
        monkeypatch.setattr(relocation, "_rewritten", write)
        insert(spark, 70)
        with pytest.raises((PySparkException, Py4JJavaError), match="GC is disabled"):
            snapshots.expire(spark, datetime.now(UTC), 1)
        return write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(relocation, "_rewritten", meanwhile)
    relocation.move(spark, EVENTS, NEW, 0)
    assert offsets(spark) == sorted([*before, 70, 170])
    assert {path.partition(str(table))[0] for path in paths(spark)} == {NEW}


def test_a_file_that_is_missing(spark: SparkSession, table: Path) -> None:
    """A table of which a file is not there is left as it is."""
    before = paths(spark)
    [row] = spark.sql(f"SELECT _file FROM {EVENTS} WHERE kafka_offset = 5").collect()
    lost = Path(row[0].removeprefix("file:"))
    lost.rename(lost.with_suffix(".lost"))
    with pytest.raises(TableError, match=f"is not at {NEW}, or has another size"):
        relocation.move(spark, EVENTS, NEW, 0)
    assert history.table(spark).location() == f"file:{table}"
    lost.with_suffix(".lost").rename(lost)
    assert before <= paths(spark)


def test_tags_are_not_left_behind(spark: SparkSession, table: Path) -> None:
    """A tag would keep a snapshot with old paths, whose expiry would delete the files of the table."""
    one = history.table(spark)
    one.manageSnapshots().createTag("kept", one.currentSnapshot().snapshotId()).commit()
    with pytest.raises(TableError, match="drop the branches and tags kept first"):
        relocation.move(spark, EVENTS, NEW, 0)
    assert history.table(spark).location() == f"file:{table}"
