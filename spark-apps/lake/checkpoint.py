"""The checkpoint of the stream on HDFS: the offsets of each batch, and the lock that lets one stream write it."""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from lake.hdfs import Files
from lake.offsets import OffsetRange

_log = logging.getLogger(__name__)

_OWNERS = "owners"
"""Folder of the checkpoint in which the stream that holds it has a file."""
_LOOK = 1.5
"""Seconds after which the stream that holds a checkpoint checks its file again."""
_ASKED = datetime.fromtimestamp(0, UTC)
"""The modification time that another stream gives the file to ask for a heartbeat."""
_SILENCE = 5.0
"""Seconds without a heartbeat after which the stream that was asked is considered dead."""


class CheckpointError(RuntimeError):
    """Another stream holds the checkpoint; the message names it."""


class Checkpoint:
    def __init__(self, spark: SparkSession, location: str) -> None:
        self.location = location
        self._files = Files(spark)
        self._owners = f"{location}/{_OWNERS}"

    def ranges(self, batch_id: int, topic: str) -> list[OffsetRange]:
        """Return the offsets of a batch, from Spark's offset log.

        The first batch, and one whose predecessor is no longer in the log, starts at 0: a range may be too wide, since
        it only limits where rows of the batch can be.
        """
        starts, ends = self._offsets(batch_id - 1, topic), self._offsets(batch_id, topic)
        return [OffsetRange(int(partition), starts.get(partition, 0), end) for partition, end in ends.items()]

    def _offsets(self, batch_id: int, topic: str) -> dict[str, int]:
        path = f"{self.location}/offsets/{batch_id}"
        text = self._files.read(path) if self._files.exists(path) else b""
        # A version, the batch's metadata, and a line for each source, of which there is one.
        return dict(json.loads(text.splitlines()[2])[topic]) if text else {}

    def position(self, topic: str) -> dict[str, int]:
        """Return the offset from which the next batch reads each partition; empty before the first batch."""
        names = self._files.names(f"{self.location}/commits")
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
        mine = f"{self._owners}/{socket.gethostname()}_{os.getpid()}"
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
                    if self._files.modified(mine) == _ASKED:
                        self._files.set_modified(mine, datetime.now(UTC))

        self._files.create(mine)
        holder = threading.Thread(target=answer, daemon=True)
        holder.start()
        try:
            yield
        finally:
            ended.set()
            holder.join(_LOOK)
        if taken:
            others = ", ".join(_described(owner.path) for owner in self._files.under(self._owners)) or "one"
            raise CheckpointError(f"{self.location} was taken by another stream: {others}")
        self._files.delete(mine)

    def _refuse_another(self) -> None:
        owners = [owner.path for owner in self._files.under(self._owners)]
        if not owners:
            return
        names = ", ".join(map(_described, owners))
        _log.info("%s was held by %s: waiting %g s for a heartbeat", self.location, names, _SILENCE)
        for path in owners:
            # A stream that ends just now deletes its file.
            with suppress(Py4JJavaError):
                self._files.set_modified(path, _ASKED)
        deadline = time.monotonic() + _SILENCE
        while time.monotonic() < deadline:
            time.sleep(_LOOK / 3)
            alive = [_described(owner.path) for owner in self._files.under(self._owners) if owner.modified != _ASKED]
            if alive:
                raise CheckpointError(
                    f"another stream is using {self.location}: {', '.join(alive)}. Stop that one first"
                )
        self._files.delete(self._owners)


def _described(owner: str) -> str:
    host, _, process = owner.rpartition("/")[2].rpartition("_")
    return f"{host}, process {process}"
