"""Files of events, in the contract's form: JSON lines, or Parquet with a column for each field."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import SparkSession

from lake.java_class import Java, java_class

PARTITION = -1
"""The `kafka_partition` of imported rows: no partition of a topic has this number."""

_JSON = (".jsonl", ".ndjson", ".json")
_COMPRESSED = ("", ".gz", ".bz2", ".zst")
_LINES = tuple(f"{kind}{packed}" for kind in _JSON for packed in _COMPRESSED)
_PARQUET = ".parquet"
_EXPECTED = f"expected {', '.join(_JSON)} (also {', '.join(filter(None, _COMPRESSED))}) or {_PARQUET}"

_GROUP_BYTES = 4 << 30
_GROUP_FILES = 100


class FileError(ValueError):
    """A file that cannot be imported; the message names it."""


@dataclass(frozen=True)
class SourceFile:
    """A file by its path, with its file system."""

    path: str
    size: int

    @property
    def is_parquet(self) -> bool:
        return self.path.endswith(_PARQUET)

    @cached_property
    def before(self) -> int:
        """The offset before that of its first line: of 62 bits, so that no two files have an offset in common.

        It depends on the path alone. So a line is the same row in every run, and lines may be added to a file.
        """
        return int.from_bytes(hashlib.sha256(self.path.encode()).digest()[:8]) >> 2


def found(spark: SparkSession, paths: Iterable[str]) -> list[SourceFile]:
    """Return the files at these paths, and those in folders, in order; raise FileError.

    A path without a scheme is of the default file system.
    """
    files = {file.path: file for path in paths for file in _at(spark, path)}
    for path in files:
        if not path.endswith((*_LINES, _PARQUET)):
            raise FileError(f"{path}: {_EXPECTED}")
    return [files[path] for path in sorted(files)]


def _at(spark: SparkSession, path: str) -> Iterator[SourceFile]:
    top = java_class(spark, "org.apache.hadoop.fs.Path")(path)
    files = top.getFileSystem(spark._jsc.hadoopConfiguration())
    if not files.exists(top):
        raise FileError(f"{path}: does not exist")
    top = files.makeQualified(top)
    listing = files.listFiles(top, True)
    while listing.hasNext():
        status = listing.next()
        file = SourceFile(str(status.getPath().toString()), int(status.getLen()))
        # What other writers leave beside their files, such as _SUCCESS. Spark does not read it, either.
        if not any(name.startswith(("_", ".")) for name in file.path.removeprefix(top.toString()).split("/")):
            yield file


def groups(files: Sequence[SourceFile]) -> Iterator[list[SourceFile]]:
    """Yield the files in order, a few at a time, each time in one format: so each is read a few times only."""
    group: list[SourceFile] = []
    for file in files:
        if group and (
            file.is_parquet != group[0].is_parquet
            or len(group) == _GROUP_FILES
            or sum(one.size for one in group) + file.size > _GROUP_BYTES
        ):
            yield group
            group = []
        group.append(file)
    if group:
        yield group


def path_of(spark: SparkSession, address: str) -> str:
    """Return a path as Hadoop writes it, from the URI that Spark has of it."""
    uri: Java = java_class(spark, "java.net.URI")(address)
    return str(java_class(spark, "org.apache.hadoop.fs.Path")(uri).toString())
