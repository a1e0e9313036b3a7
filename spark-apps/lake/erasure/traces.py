"""Files that name a player. Each file is read directly, so that no snapshot and no delete file hides a row."""

import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake.erasure.avro import frame
from lake.erasure.players import COLUMNS, Players, Spellings
from lake.hdfs import Files
from lake.java_class import java_class
from lake.java_iterable import IterationError, each

TRUNCATED = "is truncated"
"""A file that its writer could not finish."""

_PATIENCE = 100
"""Seconds to wait for a file that is being written: HDFS closes a dead writer's file after 60."""


_DATA_FILE, _FILE_PATH, _LOWER_BOUNDS, _UPPER_BOUNDS = "2", "100", "125", "128"
"""Field ids of a manifest's entries, from Iceberg's specification."""


_FOUND = pa.schema([(name, pa.string()) for name in ("path", "player", "target", "host")])


@dataclass
class Search:
    """How many files were read, the reason for each that names a player, or may, and how rows spell their names."""

    parquet: int = 0
    manifests: int = 0
    found: dict[str, str] = field(default_factory=dict)
    spellings: Spellings = field(default_factory=Spellings)

    @property
    def scope(self) -> str:
        return f"{self.parquet} Parquet files and {self.manifests} manifests"


def search(spark: SparkSession, folders: Sequence[str], players: Players) -> Search:
    """Read every Parquet file and every manifest (which has bounds of the names in a file) of these folders.

    Iceberg's other metadata contains no values of rows.
    """
    files, done = Files(spark), Search()
    done.found |= _wait_until_written(files, folders)
    listed = [one.path for folder in folders for one in files.under(folder) if one.size]
    _search_parquet(spark, [path for path in listed if path.endswith(".parquet")], players, done)
    whole = set(listed) - done.found.keys()
    for path in listed:
        if path.endswith(".avro"):
            _search_manifest(spark, path, players, whole, done)
    return done


def _wait_until_written(files: Files, folders: Sequence[str]) -> dict[str, str]:
    """Wait for files that are being written, which have no size yet; return those that still are not complete."""
    deadline = time.monotonic() + _PATIENCE
    unfinished = [one.path for folder in folders for one in files.under(folder) if not one.size]
    while (unfinished := [path for path in unfinished if files.is_being_written(path)]) and time.monotonic() < deadline:
        time.sleep(0.2)
    return dict.fromkeys(unfinished, "is being written")


def _search_parquet(spark: SparkSession, paths: list[str], players: Players, done: Search) -> None:
    files = Files(spark)
    while paths:
        try:
            rows = spark.read.schema(", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())).parquet(*paths)
            for row in _named(rows.selectExpr(*COLUMNS, "_metadata.file_path AS path"), players).collect():
                done.found[unquote(row.path)] = f"{row.rows} rows"
                done.spellings.add([*row.players, *row.targets], row.hosts)
            done.parquet += len(paths)
            return
        except (PySparkException, Py4JJavaError) as error:
            unreadable = next((p for p in re.findall(r"\w+://\S+?\.parquet", str(error)) if p in paths), None)
            if unreadable is None:
                raise
            # It may have been deleted meanwhile, with an expired snapshot or by a writer that gave up.
            if files.exists(unreadable):
                if files.end(unreadable, 4) == b"PAR1":
                    raise
                done.found[unreadable] = TRUNCATED
            paths.remove(unreadable)


def _named(rows: DataFrame, players: Players) -> DataFrame:
    """Count the rows that name a player in each file, with the spellings of their names.

    `rows` has COLUMNS and `path`; the result has `path`, `rows`, `players`, `targets` and `hosts`.
    """

    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield pa.RecordBatch.from_pylist([row for row in map(found, batch.to_pylist()) if row], _FOUND)

    def found(row: dict[str, Any]) -> dict[str, Any] | None:
        names = {column: row[column] for column in ("player", "target") if players.is_named(row[column])}
        if players.is_host(row["host"]):
            names["host"] = row["host"]
        if names or players.are_in_record(row["raw_key"], row["raw_value"]):
            return names | {"path": row["path"]}
        return None

    condition, parameters = players.candidates()
    rows.createOrReplaceTempView("searched")
    candidates = rows.sparkSession.sql(f"SELECT * FROM searched WHERE {condition}", args=parameters)
    sets = [f"collect_set({column}) AS {column}s" for column in ("player", "target", "host")]
    named = candidates.mapInArrow(find, "path STRING, player STRING, target STRING, host STRING")
    return named.groupBy("path").agg(F.count("*").alias("rows"), *map(F.expr, sets))


def _search_manifest(spark: SparkSession, path: str, players: Players, whole: set[str], done: Search) -> None:
    files = Files(spark)
    try:
        if _is_truncated(files.read(path)):
            done.found[path] = TRUNCATED
            return
        entries = _entries(spark, path)
    except (Py4JJavaError, IterationError, ValueError):
        if files.exists(path):
            done.found[path] = "cannot be read"
        return
    done.manifests += 1
    # An existing file was read itself: a bound of it that is like the name is another player's.
    if any(players.may_bound(bound) for file, bounds in entries if file not in whole for bound in bounds):
        done.found[path] = "has the name as a bound of a column"


def _is_truncated(content: bytes) -> bool:
    """Whether the writer of an Avro file could not finish it; ValueError if it is no Avro file."""
    try:
        file = frame(content)
    except EOFError:
        return True
    # A manifest has entries, which a manifest list may lack. Only a manifest's header has a partition spec.
    return not file.is_complete or (not file.has_blocks and "partition-spec" in file.metadata)


def _entries(spark: SparkSession, path: str) -> list[tuple[str, list[bytes]]]:
    """Return the data files in a manifest, with the bounds of their columns; none for a manifest list.

    Iceberg's ManifestReader skips the entries of deleted files, which have bounds too.
    """

    def iceberg(name: str) -> Any:  # noqa: ANN401 Java's
        return java_class(spark, f"org.apache.iceberg.{name}")

    columns, types = iceberg("DataFile"), iceberg("types.Types")
    data_file = types.StructType.of([columns.FILE_PATH, columns.LOWER_BOUNDS, columns.UPPER_BOUNDS])
    # Optional because a manifest list has no such field.
    schema = iceberg("Schema")([types.NestedField.optional(int(_DATA_FILE), "data_file", data_file)])
    file = iceberg("hadoop.HadoopFileIO")(spark._jsc.hadoopConfiguration()).newInputFile(path)
    reader = iceberg("InternalData").read(iceberg("FileFormat").AVRO, file).project(schema).build()
    parser = iceberg("SingleValueParser")
    entries = []
    for found in each(reader):
        # As JSON, because each value that is read by itself is a call to the JVM.
        record = json.loads(parser.toJson(schema.asStruct(), found))
        if entry := record.get(_DATA_FILE):
            maps = (entry.get(kind, {"values": []}) for kind in (_LOWER_BOUNDS, _UPPER_BOUNDS))
            entries.append((entry[_FILE_PATH], [bytes.fromhex(bound) for one in maps for bound in one["values"]]))
    return entries
