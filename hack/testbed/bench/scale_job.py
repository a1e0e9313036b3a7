"""Measure what the table `events` costs with a long history and without: `scale_job.py DAYS FILES ROUNDS`.

The tables are on HDFS, in catalogs of files; the last line of the output has the rounds as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from lake import events_table
from lake.session import lake_session
from lake.settings import EVENTS, FILE_SYSTEM, Settings
from pyspark.sql import SparkSession

from testbed.bench import long_table, table_work

T = TypeVar("T")

SHORT, LONG = "short", "long"
Figures = dict[str, float]
"""Seconds and bytes, by what was measured."""


def main() -> None:
    days, files, rounds = map(int, sys.argv[1:])
    settings = Settings.from_environment()
    spark = lake_session("scale", settings)
    today = datetime.now(UTC).date()
    for name, count in ((SHORT, 1), (LONG, days)):
        _choose(spark, name)
        spark.sql(events_table.definition(f"{FILE_SYSTEM}/{name}/default/events"))
        long_table.add(spark, long_table.samples(spark), count, files, today)
        # The first run of maintenance has seen nothing, and JVM and NameNode are warm after some.
        for _ in range(3):
            _measure(spark, today)
        print(f"{name}: {count} days of {files} files", flush=True)
    measured = []
    for number in range(rounds):
        one: dict[str, Figures] = {}
        for name in (SHORT, LONG) if number % 2 else (LONG, SHORT):
            _choose(spark, name)
            one[name] = _measure(spark, today)
        measured.append(one)
        print(f"round {number + 1} of {rounds}: {one}", flush=True)
    print(json.dumps({"rounds": measured}), flush=True)


def _choose(spark: SparkSession, name: str) -> None:
    """Make the table of this name the table `events`."""
    catalog = f"spark.sql.catalog.{EVENTS.split('.')[0]}"
    spark.conf.set(f"{catalog}.type", "hadoop")
    spark.conf.set(f"{catalog}.warehouse", f"{FILE_SYSTEM}/{name}")
    spark._jsparkSession.sessionState().catalogManager().reset()


def _measure(spark: SparkSession, today: date) -> Figures:
    seconds: Figures = {}
    commit = _timed(seconds, "write", lambda: long_table.stage(spark))
    _, before = table_work.transferred(spark)
    _timed(seconds, "commit", commit)
    _, after = table_work.transferred(spark)
    _timed(seconds, "maintenance", lambda: table_work.maintain(spark))
    _timed(seconds, "plan", lambda: table_work.plan(spark, today - timedelta(days=1)))
    seconds["batch"] = seconds.pop("write") + seconds["commit"]
    return seconds | {"bytes": after - before}


def _timed(seconds: Figures, what: str, do: Callable[[], T]) -> T:
    started = time.monotonic()
    found = do()
    seconds[what] = time.monotonic() - started
    return found


if __name__ == "__main__":
    main()
