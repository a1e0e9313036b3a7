"""Maintenance of the table `events`, beside its writers and readers: they notice nothing of it.

Files are brought together, old snapshots expire, what killed writers left is deleted, and so are days past retention.
Whatever ends it midway, and however many run at once, no row is lost: each step is one commit of Iceberg's, or several
that stand alone, and what conflicts is left to the next run. A day that is deleted comes back if its offsets are loaded
again, until the next run.
"""

import argparse
import math
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import compaction
import snapshots
from conflicts import LOCAL, retried
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from session import lake_session
from settings import EVENTS, Settings, SettingsError
from termination import on_sigterm, root_cause

_SAME_FAILURES = 3
"""Runs in a row in which a step fails in the same way …"""
_PATIENCE = 300
"""… for at least so many seconds, in which a server that was unavailable could have come back. The files of this
process do not come back: when it lacks one, it waits for nothing."""

_MANIFESTS = 30
"""More than these are brought together."""


@dataclass(frozen=True)
class Step:
    """`do` returns what it did, in words; `pause` are the seconds after which a run that stays does it again."""

    name: str
    do: Callable[[], str]
    pause: float = 0


def steps(spark: SparkSession, settings: Settings) -> list[Step]:
    def ago(**age: float) -> datetime:
        return datetime.now(UTC) - timedelta(**age)

    return [
        Step("small files", lambda: compaction.merge_small_files(spark)),
        Step("deleted rows", lambda: compaction.apply_deletes(spark)),
        Step("days that are over", lambda: compaction.sort_days_over(spark)),
        Step("manifests", lambda: snapshots.rewrite_manifests(spark, _MANIFESTS)),
        Step("snapshots", lambda: snapshots.expire(spark, ago(hours=settings.snapshot_hours)), pause=900),
        Step("orphans", lambda: snapshots.remove_orphans(spark, ago(hours=settings.orphan_hours)), pause=86_400),
        Step("retention", lambda: _delete_days(spark, settings.retention_days), pause=3_600),
    ]


def _delete_days(spark: SparkSession, kept: int) -> str:
    if not kept:
        return "all days are kept"
    first = datetime.now(UTC).date() - timedelta(days=kept)
    days = spark.table(f"{EVENTS}.partitions").where(f"partition.received_at_day < DATE '{first}'")
    found = days.selectExpr("count(DISTINCT partition.received_at_day)", "coalesce(sum(record_count), 0)").first()
    count, rows = found or (0, 0)
    if count:
        # Whole days are whole partitions: no file is read or rewritten.
        spark.sql(f"DELETE FROM {EVENTS} WHERE received_at < TIMESTAMP '{first}'")
    return f"{count} days before {first} deleted, {rows} rows"


def run(due: Sequence[Step], told: threading.Event) -> dict[str, str]:
    """Do each step, whatever became of the others, until told to end; return why each that failed did."""
    failed = {}
    for step in due:
        if told.is_set():
            break
        started = time.monotonic()
        try:
            did = retried(step.do)
        except (PySparkException, Py4JJavaError) as error:
            failed[step.name] = root_cause(error)
            did = f"failed: {failed[step.name]}"
        print(f"{step.name}: {did}, {time.monotonic() - started:.1f} s", flush=True)
    return failed


class HopelessError(RuntimeError):
    """A step goes on failing in the same way; another process may do better."""


class _Failures:
    """How often, and since when, each step has failed in the same way."""

    def __init__(self) -> None:
        self._same: dict[str, tuple[str, int, float]] = {}

    def note(self, due: Sequence[Step], failed: Mapping[str, str]) -> None:
        """Take what became of a run; raise HopelessError when a step has failed in the same way for too long."""
        now = time.monotonic()
        for step in due:
            cause = failed.get(step.name)
            if cause is None:
                self._same.pop(step.name, None)
                continue
            # What follows the kind of an error may name another file each time.
            kind = cause.split(":")[0]
            before, count, since = self._same.get(step.name, (kind, 0, now))
            count, since = (count + 1, since) if before == kind else (1, now)
            self._same[step.name] = (kind, count, since)
            patience = 0 if LOCAL in cause else _PATIENCE
            if count >= _SAME_FAILURES and now - since >= patience:
                raise HopelessError(f"{step.name} failed {count} times in a row in the same way: {cause}")


def stay(planned: Sequence[Step], every: float, told: threading.Event) -> None:
    """Run again and again, until told to end; raise HopelessError when that changes nothing."""
    done: dict[str, float] = {}
    failures = _Failures()
    while not told.is_set():
        began = time.monotonic()
        due = [one for one in planned if began >= done.get(one.name, -math.inf) + one.pause]
        failed = run(due, told)
        done |= {one.name: began for one in due if one.name not in failed}
        if not told.is_set():
            failures.note(due, failed)
        told.wait(max(0.0, began + every - time.monotonic()))
    print("stopped", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="maintain.py", description=__doc__.split("\n")[0])
    parser.add_argument("--every", type=int, metavar="SECONDS", help="stay, and run again this often")
    chosen = parser.parse_args(arguments)
    if chosen.every is not None and chosen.every < 1:
        parser.error("--every: expected at least 1")
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    spark = lake_session("maintain", settings)
    # The lists that expiry and orphans compare are short.
    spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
    told = threading.Event()
    on_sigterm(spark, told.set)
    if chosen.every:
        try:
            stay(steps(spark, settings), chosen.every, told)
        except HopelessError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        return 0
    failed = run(steps(spark, settings), told)
    if failed:
        print(f"error: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
