"""The cost of the table `events` with a year's history, compared with that of a table of one day."""

import json
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from testbed.bench.report import Row, middle, ratios, spread
from testbed.bench.scale_job import LONG, SHORT, Figures
from testbed.settings import ROOT
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack

SERVERS = ("namenode", "datanode", "metastore")
DAYS = 365
FILES = 24 * 20
"""Of a day."""
TARGET = 1.3
_JOB = "../hack/testbed/bench/scale_job.py"
_WHAT = {
    "batch": "a small batch, written and committed",
    "commit": "its commit alone",
    "plan": "planning a query on a day, by Iceberg",
    "maintenance": "a run of maintenance after a batch",
}

Round = dict[str, Figures]
"""By table."""


def measure(stack: Stack, rounds: int, days: int) -> list[Round]:
    job = spark_job(stack.settings, "bench-scale", _JOB, str(days), str(FILES), str(rounds))
    # The job has modules of its own.
    job = replace(job, environment=job.environment | {"PYTHONPATH": str(ROOT / "hack")})
    printed = stack.run(job, echo=True)
    return next(json.loads(line)["rounds"] for line in printed.splitlines() if line.startswith('{"rounds"'))


def rows(rounds: Sequence[Round], days: int) -> list[Row]:
    return [
        *(_row(rounds, name, f"{what}, {days} days of {FILES} files", 1000, "ms") for name, what in _WHAT.items()),
        _row(rounds, "bytes", "written by a commit: manifest, list of manifests and table metadata", 0.001, "kB"),
    ]


def _row(rounds: Sequence[Round], name: str, what: str, factor: float, unit: str) -> Row:
    found = ratios(rounds, lambda one: one[LONG][name] / one[SHORT][name])
    long, short = middle(rounds, lambda one: one[LONG][name]), middle(rounds, lambda one: one[SHORT][name])
    return Row(
        what,
        f"{factor * long:,.0f} {unit}",
        f"{factor * short:,.0f} {unit}, a table of one day",
        spread(found),
        f"at most {TARGET}x",
        median(found) <= TARGET,
    )
