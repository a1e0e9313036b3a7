"""Files of the lake as they lie on HDFS, whatever tables say."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession


@dataclass(frozen=True)
class File:
    path: str
    size: int
    modified: datetime


class Files:
    # PySpark offers no file system of its own.
    def __init__(self, spark: SparkSession) -> None:
        jvm: Any = spark._jvm
        self._path = jvm.org.apache.hadoop.fs.Path
        self._files = jvm.org.apache.hadoop.fs.FileSystem.get(spark._jsc.hadoopConfiguration())

    def under(self, folder: str) -> Iterator[File]:
        """Every file, hidden and temporary ones included; none if there is no such folder."""
        if not self.exists(folder):
            return
        listing = self._files.listFiles(self._path(folder), True)
        while listing.hasNext():
            status = listing.next()
            modified = datetime.fromtimestamp(status.getModificationTime() / 1000, UTC)
            yield File(status.getPath().toString(), status.getLen(), modified)

    def exists(self, path: str) -> bool:
        return bool(self._files.exists(self._path(path)))

    def is_being_written(self, path: str) -> bool:
        """Whether a writer has it open; of one that has been dead for a minute, HDFS now closes it."""
        if self._is_closed(path):
            return False
        # A living writer's file is refused to another; a dead one's is taken from it, which closes it.
        with suppress(Py4JJavaError):
            self._files.append(self._path(path)).close()
        return not self._is_closed(path)

    def _is_closed(self, path: str) -> bool:
        try:
            return bool(self._files.isFileClosed(self._path(path)))
        except Py4JJavaError:
            if self.exists(path):
                raise
            return True

    def end(self, path: str, size: int) -> bytes:
        """Read its last bytes."""
        stream = self.open(path)
        try:
            stream.seek(max(0, stream.available() - size))
            return bytes(stream.readAllBytes())
        finally:
            stream.close()

    def open(self, path: str) -> Any:  # noqa: ANN401 Java's
        return self._files.open(self._path(path))

    def delete(self, path: str) -> None:
        self._files.delete(self._path(path), True)
