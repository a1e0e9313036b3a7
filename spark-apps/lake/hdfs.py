"""Files of the lake on HDFS, independent of the tables' metadata."""

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
    # PySpark has no API for file systems.
    def __init__(self, spark: SparkSession) -> None:
        jvm: Any = spark._jvm
        self._path = jvm.org.apache.hadoop.fs.Path
        self._files = jvm.org.apache.hadoop.fs.FileSystem.get(spark._jsc.hadoopConfiguration())

    def under(self, folder: str) -> Iterator[File]:
        """Yield every file, including hidden and temporary ones; none if the folder does not exist."""
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
        """Whether a writer has the file open; if the writer has been dead for a minute, HDFS closes it now."""
        if self._is_closed(path):
            return False
        # HDFS refuses to append to the file of a live writer; it takes over that of a dead one, which closes it.
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
        """Read the last bytes of a file."""
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
