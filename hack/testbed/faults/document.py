"""docs/faults.md: the table of the last complete campaign, rendered from its stored result."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from testbed.faults.report import Row, table
from testbed.results.result import DOCS, Result, load, save
from testbed.results.run import Run

NAME = "faults.md"

_RESULT = "faults"

_HEAD = """# Faults

<!-- Written by `make faults` from docs/results/faults.json. Do not edit. -->

A campaign kills, freezes and fills up the servers of a running stack, one fault after another, while simulated players
send events. After each fault the ledger compares every answer that a player got with Kafka, the table and its views: an
event is lost, doubled, or differs from what was sent. The recovery is the time from the end of the fault until a new
event is visible in Trino. A target that was not met is printed as **missed**.
"""


def record(run: Run, rows: Sequence[Row], notes: Sequence[str], docs: Path = DOCS) -> None:
    """Store a campaign's rows and render the document."""
    result = Result(run, [asdict(row) for row in rows], notes)
    save(docs, {_RESULT: result}, NAME, render(result))


def stored_result(docs: Path = DOCS) -> Result | None:
    return load(docs, _RESULT)


def render(result: Result) -> str:
    rows = [Row(**row) for row in result.rows]
    return "\n".join([_HEAD, *(f"{part}\n" for part in (table(rows), *result.notes, result.run))])
