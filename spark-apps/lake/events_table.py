"""The table `events`, which only DDL creates and changes."""

from typing import Any

from game_events import Kind
from game_events.context import CONTEXT
from game_events.table import COLUMNS, literal, spark_schema
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from lake import history, metadata_files
from lake.metadata_files import AmbiguousError, IncompleteError, MetadataFile
from lake.metastore import repoint
from lake.settings import EVENTS, Settings

MANIFEST_BYTES = "commit.manifest.target-size-bytes"

# Properties that tables of older versions get, too.
_ADDED = {
    # By default there are none for columns beyond the first hundred. They exclude settled files from undecided ones.
    "write.metadata.metrics.column.counts": "counts",
    # Bounds of these would tell nobody anything, and might name somebody.
    **{f"write.metadata.metrics.column.{field.name}": "none" for field in CONTEXT if field.kind is Kind.OBJECT},
    # Each commit writes a file that names all snapshots, and each query reads it.
    "write.metadata.compression-codec": "gzip",
    # About 2,000 files: a query on a day reads one or two manifests, and each commit names them all.
    MANIFEST_BYTES: str(256 << 10),
}

PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # A task reads one partition of the topic, so that each file has one partition without a shuffle.
    "write.distribution-mode": "none",
    "write.spark.fanout.enabled": "true",
    # New rows only add files; a row that replaces a rejected one marks that as deleted instead of rewriting its file.
    "write.merge.mode": "merge-on-read",
    # A commit fails if another one has added rows of the same offsets meanwhile: `snapshot` would accept both.
    "write.merge.isolation-level": "serializable",
    # The metastore compares and swaps; its lock, the alternative, would outlive a killed writer.
    "engine.hive.lock-enabled": "false",
    "commit.retry.num-retries": "10",
    "write.metadata.delete-after-commit.enabled": "true",
    **_ADDED,
}

# By day for readers. By partition of the topic for writers: the files' statistics then distinguish a range of offsets
# from all others, so that two writers conflict if, and only if, they write the same offsets.
PARTITIONS = "days(received_at), kafka_partition"

_TOPIC_ID = "gamelake.topic-id"


class TableError(RuntimeError):
    """The table does not match the contract, or cannot be created safely; the message says what to do."""


def create(spark: SparkSession, settings: Settings) -> None:
    """Create the table, or add the contract's new columns. Rows and files are never changed."""
    if not spark.catalog.tableExists(EVENTS):
        _refuse_to_hide_files(spark, settings)
        spark.sql(definition(settings.events_location))
    _add_columns(spark)
    _add_properties(spark)


def definition(location: str) -> str:
    """Return the statement that creates the table."""
    properties = ", ".join(f"'{name}'='{value}'" for name, value in PROPERTIES.items())
    return (
        f"CREATE TABLE IF NOT EXISTS {EVENTS} ({spark_schema()}) USING iceberg "
        f"PARTITIONED BY ({PARTITIONS}) LOCATION '{location}' TBLPROPERTIES ({properties})"
    )


def comment(spark: SparkSession) -> None:
    """Set the contract's comments on the columns that have none, or another one."""
    present = {column.name: column.metadata.get("comment") for column in spark.table(EVENTS).schema}
    for column in COLUMNS:
        if present[column.name] != column.doc:
            spark.sql(f"ALTER TABLE {EVENTS} ALTER COLUMN {column.name} COMMENT {literal(column.doc)}")


def register(spark: SparkSession, settings: Settings, metadata_file: str, *, elsewhere: bool = False) -> None:
    """Restore the table to a catalog from one of its metadata files, by default the one that was current last.

    A table that the catalog has gets it, too: what it had may be older, or name files that are lost. Raises TableError,
    also if the metadata's paths are not under the table's location, unless they may be `elsewhere`.
    """
    location = settings.events_location
    try:
        chosen = metadata_files.read(spark, metadata_file) if metadata_file else newest(spark, location)
    except (ValueError, AnalysisException) as error:
        raise TableError(f"{metadata_file}: cannot be read as metadata: {error}") from error
    if chosen is None:
        raise TableError(f"there is no metadata with rows at {location}")
    if not elsewhere and (path := chosen.outside(location)):
        raise TableError(
            f"{chosen.path}: has the path {path}, and {EVENTS} is at {location}. If both are the same files: "
            f"tables.py --register {chosen.path} --move"
        )
    if not repoint(spark, settings.metastore_uri, EVENTS, chosen.path):
        spark.sql(f"CALL lake.system.register_table('{EVENTS.removeprefix('lake.')}', '{chosen.path}')")


def newest(spark: SparkSession, location: str) -> MetadataFile | None:
    """Return the metadata that was current last, None if there is none with rows; raise TableError."""
    try:
        return metadata_files.newest(spark, location)
    except AmbiguousError as error:
        raise TableError(
            f"each of these may be the last metadata of {EVENTS}: {error}. All but one were never committed, or were "
            "replaced by a restored one. Choose with tables.py --register FILE"
        ) from error
    except IncompleteError as error:
        raise TableError(
            f"{error}: is the last metadata of {EVENTS}, and files that it names are missing. Restore them, or choose "
            "this or older metadata with tables.py --register FILE"
        ) from error


def elsewhere(spark: SparkSession, settings: Settings) -> str:
    """Return what to do if the table's paths are not those of the lake's file system; empty if they are."""
    location = history.table(spark).location()
    if location == settings.events_location:
        return ""
    return f"{EVENTS} is at {location}, not at {settings.events_location}: run tables.py --move"


def claim(spark: SparkSession, table: Any, topic_id: str, said: str | None) -> None:  # noqa: ANN401 Java's
    """Record the topic of the first load in the table; for any other topic raise TableError later.

    `said` is the topic's id in the table's history, which counts if the table's property was lost.
    """
    recorded = table.properties().get(_TOPIC_ID) or said
    if recorded is None:
        spark.sql(f"ALTER TABLE {EVENTS} SET TBLPROPERTIES ('{_TOPIC_ID}'='{topic_id}')")
    elif recorded != topic_id:
        raise TableError(
            f"{EVENTS} holds the offsets of topic id {recorded}, and this topic's id is {topic_id}. It is another "
            "topic, or was recreated: its offsets would be mistaken for existing rows. Load it into another "
            f"table, or set the table's property {_TOPIC_ID} if it is the same after all"
        )


def _refuse_to_hide_files(spark: SparkSession, settings: Settings) -> None:
    # An interrupted start leaves metadata without a snapshot, which hides no rows.
    if found := newest(spark, settings.events_location):
        raise TableError(
            f"{EVENTS} is not in the catalog, but its files are at {settings.events_location}: a new table there would "
            f"hide their rows. Restore it: tables.py --register {found.path}"
        )


def _add_columns(spark: SparkSession) -> None:
    present = dict(spark.table(EVENTS).dtypes)
    expected = {column.name: column for column in COLUMNS}
    for name, column in expected.items():
        if name not in present:
            spark.sql(f"ALTER TABLE {EVENTS} ADD COLUMN {name} {column.kind.sql_type} COMMENT {literal(column.doc)}")
        elif present[name] != column.kind.sql_type.lower():
            raise TableError(f"{EVENTS}.{name}: is {present[name]}, the contract says {column.kind.sql_type.lower()}")


def _add_properties(spark: SparkSession) -> None:
    present = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {EVENTS}").collect()}
    missing = ", ".join(f"'{name}'='{value}'" for name, value in _ADDED.items() if present.get(name) != value)
    if missing:
        spark.sql(f"ALTER TABLE {EVENTS} SET TBLPROPERTIES ({missing})")
