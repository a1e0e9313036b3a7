"""The metadata files of a table that its catalog has lost: which of them was current."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from lake.java_class import java_class
from lake.java_iterable import each

_GZIP = b"\x1f\x8b"
_NONE = -1
"""The id of the current snapshot of a table without one."""


class AmbiguousError(ValueError):
    """Several files may have been current; the message names them."""


class IncompleteError(ValueError):
    """Files that it names are missing; the message is its path."""


@dataclass(frozen=True)
class MetadataFile:
    """Times are in milliseconds. `base` is the time of the metadata that this one replaced, 0 if it was the first."""

    path: str
    location: str
    updated: int
    base: int
    earlier: frozenset[str]
    """Paths of metadata files that were current before."""
    snapshots: dict[int, str]
    """The manifest list of each snapshot, by its id."""
    current: int

    @property
    def has_rows(self) -> bool:
        return self.current in self.snapshots

    def outside(self, location: str) -> str:
        """Return a path, its own or one that it names, that is not under a location; empty if there is none."""
        paths = [self.path, f"{self.location}/", *self.snapshots.values()]
        return next((path for path in paths if not path.startswith(f"{location}/")), "")


def newest(spark: SparkSession, location: str) -> MetadataFile | None:
    """Return the metadata that was current last; None if there is none with rows.

    Raises AmbiguousError, and IncompleteError if each that may have been current lacks files.

    A file that was current is named by those after it. A commit that failed or was killed may leave a file, too, which
    none names: it may be newer than the current one, or have the same number.
    """
    found = list(_all(spark, location))
    replaced = {path for one in found for path in one.earlier}
    last = [one for one in found if one.path not in replaced and one.has_rows]
    if not last:
        return None
    whole = [one for one in last if one.outside(location) or _is_whole(spark, one)]
    chosen = max(whole or last, key=lambda one: one.updated)
    if not whole:
        raise IncompleteError(chosen.path)
    # What is older than the metadata that the chosen one replaced was not current then.
    if rivals := [one.path for one in whole if one is not chosen and one.updated >= chosen.base]:
        raise AmbiguousError(", ".join(sorted([chosen.path, *rivals])))
    return chosen


def read(spark: SparkSession, path: str) -> MetadataFile:
    """Read one file. Raises ValueError if it is no metadata, AnalysisException if it does not exist."""
    [row] = spark.read.format("binaryFile").load(path).collect()
    return _parsed(row.path, bytes(row.content))


def _all(spark: SparkSession, location: str) -> Iterator[MetadataFile]:
    """Yield the metadata files of a table, compressed or not, without those that are not complete."""
    try:
        files = (
            spark.read.format("binaryFile").option("pathGlobFilter", "*.metadata.json*").load(f"{location}/metadata")
        )
        rows = files.collect()
    except AnalysisException:
        return
    for row in rows:
        # A killed writer's: only a complete file is committed.
        try:
            yield _parsed(row.path, bytes(row.content))
        except (ValueError, EOFError, OSError, zlib.error):
            continue


def _parsed(path: str, content: bytes) -> MetadataFile:
    metadata = json.loads(gzip.decompress(content) if content.startswith(_GZIP) else content)
    if not isinstance(metadata, dict) or not metadata.keys() >= {"location", "last-updated-ms"}:
        raise ValueError(f"{path}: is no metadata of a table")
    log: list[dict[str, Any]] = metadata.get("metadata-log", [])
    return MetadataFile(
        path,
        metadata["location"],
        metadata["last-updated-ms"],
        max((one["timestamp-ms"] for one in log), default=0),
        frozenset(one["metadata-file"] for one in log),
        {one["snapshot-id"]: one["manifest-list"] for one in metadata.get("snapshots", [])},
        metadata.get("current-snapshot-id") or _NONE,
    )


def _is_whole(spark: SparkSession, file: MetadataFile) -> bool:
    """Whether every file of the current snapshot exists: a commit that was refused deletes its files."""
    io = java_class(spark, "org.apache.iceberg.hadoop.HadoopFileIO")(spark._jsc.hadoopConfiguration())
    if not io.newInputFile(file.snapshots[file.current]).exists():
        return False
    operations = java_class(spark, "org.apache.iceberg.StaticTableOperations")(file.path, io)
    table = java_class(spark, "org.apache.iceberg.BaseTable")(operations, file.path)
    listed = io.listPrefix(file.location).iterator()
    present = set[str]()
    while listed.hasNext():
        present.add(listed.next().location())
    for manifest in table.currentSnapshot().allManifests(io):
        paths = java_class(spark, "org.apache.iceberg.ManifestFiles").readPaths(manifest, io, table.specs())
        if manifest.path() not in present or not all(path in present for path in each(paths)):
            return False
    return True
