"""The audit: compares the answers that players got with Kafka, the table and its views, event by event."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from confluent_kafka import KafkaException
from game_events import FAMILIES
from game_events.table import PLAYER_EVENTS
from game_trino.connection import FAILURES
from rich.console import Console
from rich.table import Table

from testbed.audit import table_rows
from testbed.audit.reconciliation import Reconciliation
from testbed.audit.records import Records, kafka_records
from testbed.audit.stage import Stage
from testbed.settings import Settings
from testbed.simulator import ledger
from testbed.stack.stack import StackError
from testbed.waiting import wait_until

_CHUNK = 100_000
"""Number of offsets held in memory at a time."""

_PROGRESS = 5.0
"""Seconds between two progress messages."""


EVERY_EVENT = (PLAYER_EVENTS,)
"""One view of all families: a tenth of the cost of asking the view of each."""


def audit(settings: Settings, wait: float = 60, views: Iterable[str] = tuple(FAMILIES)) -> list[Stage]:
    """Compare everything, after waiting at most `wait` seconds for the table to catch up with Kafka.

    The views together show each event once.
    """
    try:
        with kafka_records(settings) as kafka:
            return compare(settings, kafka, wait, views)
    except (KafkaException, TimeoutError, *FAILURES) as error:
        raise StackError(f"the audit failed: {error}") from error


def show(stages: Sequence[Stage]) -> None:
    """Print the comparison as a table, and samples of each kind of difference."""
    table = Table(
        "stage", "compared", "", "lost", "doubled", "differing", box=None, header_style="bold", pad_edge=False
    )
    for stage in stages:
        counts = (f"{kind.count:,}" for kind in stage.differences.values())
        table.add_row(stage.name, f"{stage.compared:,}", stage.unit, *counts)
    for column in table.columns[1:2] + table.columns[3:]:
        column.justify = "right"
    Console(width=100).print(table)
    for stage in stages:
        for name, kind in stage.differences.items():
            for sample in kind.samples:
                print(f"  {stage.name}, {name}: {sample}")
            if kind.count > len(kind.samples):
                print(f"  {stage.name}, {name}: … {kind.count:,} in all")


def compare(settings: Settings, kafka: Records, wait: float, views: Iterable[str] = tuple(FAMILIES)) -> list[Stage]:
    """Compare with the records of `kafka`, wherever its broker is."""
    # In this order: rows that exist now are in Kafka later, and records that exist then are in the ledger after that.
    rows = table_rows.bounds(settings)
    as_of = time.time()
    kept = {partition: kafka.window(partition) for partition in kafka.partitions()}
    _await_table(settings, kafka, kept, wait)
    windows = {
        partition: range(min(offsets.start, rows.get(partition, offsets).start), offsets.stop)
        for partition, offsets in kept.items()
    }
    comparison = Reconciliation(ledger.attempts(settings), windows, as_of)
    _compare_offsets(settings, kafka, windows, comparison)
    for partition, offsets in rows.items():
        if partition not in kept or offsets.stop > kept[partition].stop:
            comparison.add_beyond(partition, range(kept.get(partition, offsets[:0]).stop, offsets.stop))
    comparison.add_shown(table_rows.shown(settings, windows, views))
    return comparison.conclude()


def _await_table(settings: Settings, kafka: Records, kept: Mapping[int, range], wait: float) -> None:
    total = sum(map(len, kept.values()))
    report = _progress("rows in the table", total)

    def has_caught_up() -> bool:
        count = table_rows.count(settings, kept)
        report(count)
        return count >= total or not _lacks_records(settings, kafka, kept)

    try:
        wait_until("the table", has_caught_up, wait, pause=1)
    except TimeoutError:
        print(
            f"after {wait:.0f} s the table is still behind Kafka: some of the lost events may still arrive", flush=True
        )


def _lacks_records(settings: Settings, kafka: Records, kept: Mapping[int, range]) -> bool:
    """Tell whether any record in these windows has no row; not every offset has a record."""
    gaps = [(partition, gap) for partition, gap in table_rows.gaps(settings, kept) if gap]
    # The longest gaps first: most likely they are what the stream has not written yet.
    gaps.sort(key=lambda one: -len(one[1]))
    return any(next(kafka.read(partition, gap), None) is not None for partition, gap in gaps)


def _compare_offsets(
    settings: Settings, kafka: Records, windows: Mapping[int, range], comparison: Reconciliation
) -> None:
    report, done = _progress("offsets compared", sum(map(len, windows.values()))), 0
    for partition, window in windows.items():
        for start in range(window.start, window.stop, _CHUNK):
            chunk = range(start, min(start + _CHUNK, window.stop))
            records = list(kafka.read(partition, chunk))
            # Read the start after the records, so that records removed by retention in between do not count as lost.
            kept_from = kafka.window(partition).start
            comparison.add_chunk(partition, chunk, kept_from, records, table_rows.read(settings, partition, chunk))
            done += len(chunk)
            report(done)


def _progress(what: str, total: int) -> Callable[[int], None]:
    """Return a function that prints progress, at most every few seconds."""
    printed = time.monotonic()

    def report(done: int) -> None:
        nonlocal printed
        if time.monotonic() - printed > _PROGRESS:
            printed = time.monotonic()
            print(f"{done:,} of {total:,} {what}", flush=True)

    return report
