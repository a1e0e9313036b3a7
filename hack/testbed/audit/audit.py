"""The audit: what players were told, Kafka, the table and its views, compared event by event."""

import time
from collections.abc import Callable, Mapping, Sequence

import trino
from confluent_kafka import KafkaException
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
"""Offsets that are in memory at a time."""

_PROGRESS = 5.0
"""Seconds between two words of progress."""


def audit(settings: Settings, wait: float = 60) -> list[Stage]:
    """Compare all there is, after waiting that many seconds at most for the table to reach Kafka's end."""
    try:
        with kafka_records(settings) as kafka:
            return compare(settings, kafka, wait)
    except (KafkaException, TimeoutError, trino.exceptions.Error, OSError) as error:
        raise StackError(f"the audit could not be made: {error}") from error


def show(stages: Sequence[Stage]) -> None:
    """Print the comparison as a table, and the first few of each kind of difference."""
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


def compare(settings: Settings, kafka: Records, wait: float) -> list[Stage]:
    """The same with `kafka`, for a topic that is reached in another way."""
    # In this order: what is a row by now, Kafka has by then; what Kafka has by then, the ledger tells of.
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
    for partition, there in rows.items():
        if partition not in kept or there.stop > kept[partition].stop:
            comparison.add_beyond(partition, range(kept.get(partition, there[:0]).stop, there.stop))
    comparison.add_shown(table_rows.shown(settings, windows))
    return comparison.conclude()


def _await_table(settings: Settings, kafka: Records, kept: Mapping[int, range], wait: float) -> None:
    total = sum(map(len, kept.values()))
    report = _progress("rows in the table", total)

    def is_there() -> bool:
        count = table_rows.count(settings, kept)
        report(count)
        return count >= total or not _lacks_records(settings, kafka, kept)

    try:
        wait_until("the table", is_there, wait, pause=1)
    except TimeoutError:
        print(f"after {wait:.0f} s the table is not where Kafka is: some of what is lost now may come yet", flush=True)


def _lacks_records(settings: Settings, kafka: Records, kept: Mapping[int, range]) -> bool:
    """Whether any record of these windows is no row: not every offset is a record."""
    gaps = [(partition, gap) for partition, gap in table_rows.gaps(settings, kept) if gap]
    # The longest first: they are what is not written yet.
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
            # Asked after reading: what Kafka's retention removed meanwhile is not missed.
            kept_from = kafka.window(partition).start
            comparison.add_chunk(partition, chunk, kept_from, records, table_rows.read(settings, partition, chunk))
            done += len(chunk)
            report(done)


def _progress(what: str, total: int) -> Callable[[int], None]:
    """Make a function that says, now and then, how far it is."""
    said = time.monotonic()

    def report(done: int) -> None:
        nonlocal said
        if time.monotonic() - said > _PROGRESS:
            said = time.monotonic()
            print(f"{done:,} of {total:,} {what}", flush=True)

    return report
