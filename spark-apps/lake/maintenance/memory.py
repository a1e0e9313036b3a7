"""What maintenance remembers: when each step ran last, and what it has looked at."""

import logging
from datetime import UTC, datetime

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from lake import history
from lake.java_class import Java
from lake.termination import root_cause

_log = logging.getLogger(__name__)

PREFIX = "gamelake.maintenance."
_RAN, _SEEN = f"{PREFIX}ran.", f"{PREFIX}seen."


class Memory:
    """The memory of one process."""

    def __init__(self) -> None:
        self._facts: dict[str, str] = {}
        self._new: dict[str, str] = {}
        self._tried: dict[str, float] = {}

    def ran(self, step: str) -> float:
        """Return when the last run in which this step succeeded began, in seconds of the epoch; 0 if it never ran."""
        text = self._fact(_RAN, step)
        return datetime.fromisoformat(text).timestamp() if text else 0.0

    def tried(self, step: str) -> float:
        """Return when the last run began in which this step ran, whether or not it succeeded."""
        return max(self.ran(step), self._tried.get(step, 0.0))

    def seen(self, step: str) -> str:
        """Return what the step has noted as seen; empty if nothing."""
        return self._fact(_SEEN, step)

    def note_try(self, step: str, at: float) -> None:
        self._tried[step] = at

    def note_run(self, step: str, at: float) -> None:
        self._note(_RAN, step, datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"))

    def note_seen(self, step: str, what: str) -> None:
        self._note(_SEEN, step, what)

    def recall(self) -> None:
        """Read what other processes have noted."""

    def save(self, timed: frozenset[str] = frozenset()) -> None:
        """Keep what was noted for other processes, if a step has seen something new, or one of those `timed` ran."""

    def _fact(self, kind: str, step: str) -> str:
        name = kind + step.replace(" ", "-")
        return self._new.get(name) or self._facts.get(name, "")

    def _note(self, kind: str, step: str, text: str) -> None:
        if self._fact(kind, step) != text:
            self._new[kind + step.replace(" ", "-")] = text


class TableMemory(Memory):
    """Memory in the table's properties, which a new process has too. Without the table it is that of the process."""

    def __init__(self, spark: SparkSession) -> None:
        super().__init__()
        self._spark = spark

    def recall(self) -> None:
        try:
            self.read(history.table(self._spark))
        except (PySparkException, Py4JJavaError) as error:
            _log.warning("what maintenance did last cannot be read: %s", root_cause(error))

    def read(self, table: Java) -> None:
        """Recall from a table that was loaded just now."""
        properties = table.properties()
        self._facts = {name: properties[name] for name in properties if name.startswith(PREFIX)}

    def save(self, timed: frozenset[str] = frozenset()) -> None:
        due = {_RAN + step.replace(" ", "-") for step in timed}
        # The times alone would be a commit in each run, also while the table does not change.
        if not any(name.startswith(_SEEN) or name in due for name in self._new):
            return
        try:
            update = history.table(self._spark).updateProperties()
            for name, text in self._new.items():
                update.set(name, text)
            update.commit()
        except (PySparkException, Py4JJavaError) as error:
            _log.warning("what maintenance did cannot be stored now: %s", root_cause(error))
        else:
            self._facts |= self._new
            self._new = {}
