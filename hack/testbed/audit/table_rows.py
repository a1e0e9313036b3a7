"""The rows of the table and of its views, for the audit."""

from collections.abc import Iterable, Iterator, Mapping

from lake.settings import EVENTS

from testbed.audit import digests
from testbed.audit.places import Row
from testbed.clients import sql
from testbed.settings import Settings
from testbed.simulator.ledger import KEY_PREFIX


def bounds(settings: Settings) -> dict[int, range]:
    """Return the offsets of each partition, from its first row to its last."""
    # Imported lines of files are no records of the topic.
    edges = "SELECT kafka_partition, min(kafka_offset), max(kafka_offset)"
    query = f"{edges} FROM {EVENTS} WHERE kafka_partition >= 0 GROUP BY 1"
    return {partition: range(low, high + 1) for partition, low, high in sql.ask(settings, query)[1]}


def count(settings: Settings, windows: Mapping[int, range]) -> int:
    """Count the rows at these offsets."""
    return sql.count(settings, f"{EVENTS} WHERE {_inside(windows)}")


def read(settings: Settings, partition: int, offsets: range) -> Iterator[Row]:
    query = (
        f"SELECT kafka_offset, family, event_id, lower(to_hex(sha256(raw_value))), {digests.expression()} "
        f"FROM {EVENTS} WHERE {_inside({partition: offsets})}"
    )
    return (Row(*row) for row in sql.ask(settings, query)[1])


def shown(settings: Settings, windows: Mapping[int, range], views: Iterable[str]) -> Iterator[str]:
    """Yield the ids of players' events in these views, each as often as the views show it."""
    for view in views:
        query = f"SELECT event_id FROM {view} WHERE event_id LIKE '{KEY_PREFIX}%' AND ({_inside(windows)})"
        for (event_id,) in sql.ask(settings, query)[1]:
            yield event_id


def gaps(settings: Settings, windows: Mapping[int, range]) -> Iterator[tuple[int, range]]:
    """Yield the ranges of offsets without a row, from the start of each partition's window to its end."""
    follows = "lead(kafka_offset) OVER (PARTITION BY kafka_partition ORDER BY kafka_offset)"
    rows = f"SELECT kafka_partition, kafka_offset, {follows} AS next_offset FROM {EVENTS} WHERE {_inside(windows)}"
    # A doubled offset is followed by itself.
    query = f"SELECT * FROM ({rows}) AS followed WHERE next_offset > kafka_offset + 1 ORDER BY 1, 2"
    edges = "SELECT kafka_partition, min(kafka_offset), max(kafka_offset)"
    found = sql.ask(settings, f"{edges} FROM {EVENTS} WHERE {_inside(windows)} GROUP BY 1")[1]
    held = {partition: range(low, high + 1) for partition, low, high in found}
    for partition, window in windows.items():
        own = held.get(partition, window[:0])
        yield partition, range(window.start, own.start)
        yield partition, range(own.stop, window.stop)
    for partition, before, after in sql.ask(settings, query)[1]:
        yield partition, range(before + 1, after)


def _inside(windows: Mapping[int, range]) -> str:
    parts = (
        f"(kafka_partition = {partition} AND kafka_offset >= {offsets.start} AND kafka_offset < {offsets.stop})"
        for partition, offsets in windows.items()
    )
    return " OR ".join(parts)
