"""Files of the lake on HDFS, independent of the tables' metadata."""

from collections.abc import Iterator
from contextlib import closing, suppress
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
            yield File(status.getPath().toString(), status.getLen(), _modified(status))

    def names(self, folder: str) -> list[str]:
        """Return the names of the files and folders directly in a folder; none if it does not exist."""
        if not self.exists(folder):
            return []
        return [str(status.getPath().getName()) for status in self._files.listStatus(self._path(folder))]

    def modified(self, path: str) -> datetime:
        return _modified(self._files.getFileStatus(self._path(path)))

    def set_modified(self, path: str, when: datetime) -> None:
        """Set the modification time of a file, in milliseconds."""
        self._files.setTimes(self._path(path), round(when.timestamp() * 1000), -1)

    def create(self, path: str) -> None:
        """Create an empty file, or empty an existing one."""
        self._files.create(self._path(path), True).close()

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
        with closing(self._files.open(self._path(path))) as stream:
            stream.seek(max(0, stream.available() - size))
            return bytes(stream.readAllBytes())

    def read(self, path: str) -> bytes:
        with closing(self._files.open(self._path(path))) as stream:
            return bytes(stream.readAllBytes())

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with everything in it; nothing if it does not exist."""
        self._files.delete(self._path(path), True)


def _modified(status: Any) -> datetime:  # noqa: ANN401 Java's
    return datetime.fromtimestamp(status.getModificationTime() / 1000, UTC)
