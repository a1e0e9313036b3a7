"""The checkpoint of the stream on HDFS: which offsets a batch has, and that one stream alone writes it."""

import json
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

_OWNERS = "owners"
"""Folder of the checkpoint in which a stream that holds it has a file."""
_LOOK = 1.5
"""Seconds between two looks of the stream that holds a checkpoint at its file."""
_ASKED = 0
"""Time of that file, in milliseconds, by which another stream asks for a sign of life."""
_SILENCE = 5.0
"""Seconds without an answer, after which the stream that was asked is taken for dead."""


class CheckpointError(RuntimeError):
    """The checkpoint is another stream's; the message names it."""


class Checkpoint:
    def __init__(self, spark: SparkSession, location: str) -> None:
        self.location = location
        self._jvm: Any = spark._jvm
        self._files = self._path("").getFileSystem(spark._jsc.hadoopConfiguration())

    def ranges(self, batch_id: int, topic: str) -> list[OffsetRange]:
        """Return the offsets of a batch, from Spark's offset log.

        The first batch, and one whose predecessor is gone from the log, is said to start at 0: a range may be too
        wide, for it only says where rows of the batch can be.
        """
        starts, ends = self._offsets(batch_id - 1, topic), self._offsets(batch_id, topic)
        return [OffsetRange(int(partition), starts.get(partition, 0), end) for partition, end in ends.items()]

    def _offsets(self, batch_id: int, topic: str) -> dict[str, int]:
        text = self._read(f"offsets/{batch_id}")
        # A version, the batch's metadata, and a line for each source: there is one.
        return dict(json.loads(text.splitlines()[2])[topic]) if text else {}

    def position(self, topic: str) -> dict[str, int]:
        """Return each partition's offset from which the next batch reads; empty before the first."""
        folder = self._path("commits")
        if not self._files.exists(folder):
            return {}
        names = [status.getPath().getName() for status in self._files.listStatus(folder)]
        return self._offsets(max((int(name) for name in names if name.isdecimal()), default=-1), topic)

    @contextmanager
    def held(self, lost: Callable[[], None]) -> Iterator[None]:
        """Hold it alone, or raise CheckpointError; if another stream takes it nevertheless, `lost` is called.

        It is a courtesy that gives a clear message: two streams would double nothing, for Spark's log lets one of them
        have a batch and the writer asks the table.
        """
        # An empty file: the NameNode alone has it. One with content that was being written while a DataNode died could
        # not be read before HDFS gives it up, after 20 minutes. Its time is the question and the answer: a sign of life
        # that nobody has asked for would be an entry in the NameNode's log of edits, every second for months.
        mine = self._path(f"{_OWNERS}/{socket.gethostname()}_{os.getpid()}")
        self._refuse_another()
        ended = threading.Event()
        taken = False

        def answer() -> None:
            nonlocal taken
            while not ended.wait(_LOOK):
                # When HDFS is away, the stream itself will say so.
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
        print(f"{self.location} was held by {names}: waiting {_SILENCE:g} s for a sign of life", flush=True)
        for path, _ in owners:
            # One that ends just now takes its file with it.
            with suppress(Py4JJavaError):
                self._files.setTimes(path, _ASKED, -1)
        deadline = time.monotonic() + _SILENCE
        while time.monotonic() < deadline:
            time.sleep(_LOOK / 3)
            if alive := [_described(path) for path, when in self._owners() if when != _ASKED]:
                raise CheckpointError(
                    f"another stream is at work on {self.location}: {', '.join(alive)}. Stop that one first"
                )
        self._files.delete(self._path(_OWNERS), True)

    def _owners(self) -> list[tuple[Any, int]]:
        """The file of each stream that holds it, and the file's time in milliseconds."""
        folder = self._path(_OWNERS)
        if not self._files.exists(folder):
            return []
        return [(one.getPath(), int(one.getModificationTime())) for one in self._files.listStatus(folder)]

    def _read(self, name: str) -> str:
        """Return the text of a file, empty when it is not there."""
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
