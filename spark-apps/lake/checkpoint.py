"""The checkpoint of the stream on HDFS: the offsets of each batch, and the lock that lets one stream write it."""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from lake.offsets import OffsetRange

_log = logging.getLogger(__name__)

_OWNERS = "owners"
"""Folder of the checkpoint in which the stream that holds it has a file."""
_LOOK = 1.5
"""Seconds after which the stream that holds a checkpoint checks its file again."""
_ASKED = 0
"""The modification time, in milliseconds, that another stream gives the file to ask for a heartbeat."""
_SILENCE = 5.0
"""Seconds without a heartbeat after which the stream that was asked is considered dead."""


class CheckpointError(RuntimeError):
    """Another stream holds the checkpoint; the message names it."""


class Checkpoint:
    def __init__(self, spark: SparkSession, location: str) -> None:
        self.location = location
        self._jvm: Any = spark._jvm
        self._files = self._path("").getFileSystem(spark._jsc.hadoopConfiguration())

    def ranges(self, batch_id: int, topic: str) -> list[OffsetRange]:
        """Return the offsets of a batch, from Spark's offset log.

        The first batch, and one whose predecessor is no longer in the log, starts at 0: a range may be too wide, since
        it only limits where rows of the batch can be.
        """
        starts, ends = self._offsets(batch_id - 1, topic), self._offsets(batch_id, topic)
        return [OffsetRange(int(partition), starts.get(partition, 0), end) for partition, end in ends.items()]

    def _offsets(self, batch_id: int, topic: str) -> dict[str, int]:
        text = self._read(f"offsets/{batch_id}")
        # A version, the batch's metadata, and a line for each source, of which there is one.
        return dict(json.loads(text.splitlines()[2])[topic]) if text else {}

    def position(self, topic: str) -> dict[str, int]:
        """Return the offset from which the next batch reads each partition; empty before the first batch."""
        folder = self._path("commits")
        if not self._files.exists(folder):
            return {}
        names = [status.getPath().getName() for status in self._files.listStatus(folder)]
        return self._offsets(max((int(name) for name in names if name.isdecimal()), default=-1), topic)

    @contextmanager
    def held(self, lost: Callable[[], None]) -> Iterator[None]:
        """Hold the checkpoint exclusively, or raise CheckpointError; call `lost` if another stream takes it anyway.

        Only the clear message depends on this. Two streams would not duplicate rows: Spark's log gives each batch to
        one of them, and the writer checks the table.
        """
        # The file is empty, so that only the NameNode stores it: one with content that was being written while a
        # DataNode died could not be read until HDFS gives up on it, after 20 minutes. Its modification time is both the
        # request and the heartbeat: heartbeats without a request would add to the NameNode's edit log every second, for
        # months.
        mine = self._path(f"{_OWNERS}/{socket.gethostname()}_{os.getpid()}")
        self._refuse_another()
        ended = threading.Event()
        taken = False

        def answer() -> None:
            nonlocal taken
            while not ended.wait(_LOOK):
                # When HDFS is unavailable, the stream itself reports it.
                with suppress(Py4JJavaError):
                    if not self._files.exists(mine):
                        taken = True
                        lost()
                        return
                    if self._files.getFileStatus(mine).getModificationTime() == _ASKED:
                        self._files.setTimes(mine, int(time.time() * 1000), -1)

        self._files.create(mine, True).close()
        holder = threading.Thread(target=answer, daemon=True)
        holder.start()
        try:
            yield
        finally:
            ended.set()
            holder.join(_LOOK)
        if taken:
            others = ", ".join(_described(path) for path, _ in self._owners()) or "one"
            raise CheckpointError(f"{self.location} was taken by another stream: {others}")
        self._files.delete(mine, False)

    def _refuse_another(self) -> None:
        owners = self._owners()
        if not owners:
            return
        names = ", ".join(_described(path) for path, _ in owners)
        _log.info("%s was held by %s: waiting %g s for a heartbeat", self.location, names, _SILENCE)
        for path, _ in owners:
            # A stream that ends just now deletes its file.
            with suppress(Py4JJavaError):
                self._files.setTimes(path, _ASKED, -1)
        deadline = time.monotonic() + _SILENCE
        while time.monotonic() < deadline:
            time.sleep(_LOOK / 3)
            if alive := [_described(path) for path, when in self._owners() if when != _ASKED]:
                raise CheckpointError(
                    f"another stream is using {self.location}: {', '.join(alive)}. Stop that one first"
                )
        self._files.delete(self._path(_OWNERS), True)

    def _owners(self) -> list[tuple[Any, int]]:
        """Return the file of each stream that holds the checkpoint, and its modification time in milliseconds."""
        folder = self._path(_OWNERS)
        if not self._files.exists(folder):
            return []
        return [(one.getPath(), int(one.getModificationTime())) for one in self._files.listStatus(folder)]

    def _read(self, name: str) -> str:
        """Return the text of a file, empty when it does not exist."""
        if not self._files.exists(self._path(name)):
            return ""
        stream = self._files.open(self._path(name))
        try:
            return str(self._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
        finally:
            stream.close()

    def _path(self, name: str) -> Any:  # noqa: ANN401 Java's
        return self._jvm.org.apache.hadoop.fs.Path(f"{self.location}/{name}")


def _described(owner: Any) -> str:  # noqa: ANN401 Java's
    host, _, process = str(owner.getName()).rpartition("_")
    return f"{host}, process {process}"
