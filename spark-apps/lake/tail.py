"""The tail: the records of the topic that the table does not have, as a view that Trino can read within bounds.

Trino's Kafka connector reads a part of the topic only where the query names the offsets as literals. So the view names
for each partition where the table ended a moment ago, and the snapshot of that time. The summaries of later snapshots,
which the same query reads, tell what the table got since then. Where this does not hold, the query fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from game_events.table import literal

from lake.history import CHANGES, IMPORTED, OFFSETS
from lake.settings import EVENTS

LIMIT = 200_000
"""Offsets of a partition that a query reads at most."""
_EXPIRY = timedelta(minutes=2)
_SKEW = timedelta(minutes=2)
"""By how much a snapshot's time may be before that of its parent; Iceberg accepts a minute."""

_INSTEAD = "; the views without _live still have what is in the table"
NEVER = "the stream has not run yet" + _INSTEAD
_LATE = "the stream has not said for two minutes where the table ends: does it run?" + _INSTEAD
_BEHIND = "the stream is too far behind" + _INSTEAD
_GONE = "the table was rolled back: the stream will load again what it lacks" + _INSTEAD
_UNCLEAR = "the table has offsets beyond missing ones, or rows of unknown offsets" + _INSTEAD

_SAID = "coalesce(CAST(element_at(summary, '{}') AS bigint), 0)"


@dataclass(frozen=True)
class Bounds:
    """Where each partition ended in the table as of a snapshot, when that was committed, and when it was seen.

    With a `problem`, queries fail with it.
    """

    snapshot: int = 0
    committed: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    ends: Mapping[int, int] = field(default_factory=dict)
    seen: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    problem: str = ""


def tail_query(topic: str, bounds: Bounds, limit: int = LIMIT) -> str:
    """Select kafka_partition, kafka_offset and value of the records that `events` does not have, as SQL for Trino.

    `value` has the record's bytes, UTF-8 or not. One row, whose value is NULL, is no record.
    """
    ends = bounds.ends
    new = max(ends, default=-1) + 1
    parts = [
        _records(topic, str(partition), f"_partition_id = {partition}", range(end, end + limit))
        for partition, end in sorted(ends.items())
    ]
    parts.append(_records(topic, "CAST(_partition_id AS integer)", f"_partition_id >= {new}", range(limit)))
    return (
        "SELECT kafka_partition, kafka_offset, value "
        f"FROM ({' UNION ALL '.join(parts)}) AS records CROSS JOIN ({_covered(bounds)}) AS covered "
        "WHERE kafka_offset >= coalesce(element_at(ends, kafka_partition), 0) "
        f"UNION ALL {_check(bounds)}"
    )


def _records(topic: str, partition: str, where: str, offsets: range) -> str:
    schema, _, name = topic.rpartition(".")
    return (
        f"SELECT {partition} AS kafka_partition, _partition_offset AS kafka_offset, _message AS value "
        f'FROM kafka."{schema or "default"}"."{name}" WHERE {where} AND _partition_offset >= {offsets.start} '
        f"AND CASE WHEN _partition_offset >= {offsets.stop} THEN {_fail(_BEHIND, 'boolean')} ELSE true END"
    )


def _covered(bounds: Bounds) -> str:
    """Select one row: `ends`, a map from each partition to the end that the snapshots since then say."""
    numbers, ends = ", ".join(map(str, bounds.ends)), ", ".join(map(str, bounds.ends.values()))
    known = f"map(CAST(ARRAY[{numbers}] AS array(integer)), CAST(ARRAY[{ends}] AS array(bigint)))"
    growth = " + ".join(f"{sign} * {_SAID.format(name)}" for name, sign in CHANGES.items())
    return (
        f"SELECT CASE WHEN bool_or(is_unclear) THEN {_fail(_UNCLEAR, 'map(integer, bigint)')} "
        "ELSE map_agg(number, until) FILTER (WHERE number IS NOT NULL) END AS ends FROM ("
        "SELECT number, max(until) AS until, "
        f"bool_or(since > coalesce(element_at({known}, number), 0) OR is_silent) AS is_unclear FROM ("
        "SELECT CAST(split_part(part, ':', 1) AS integer) AS number, "
        "CAST(split_part(split_part(part, ':', 2), '-', 1) AS bigint) AS since, "
        "CAST(split_part(part, '-', 2) AS bigint) AS until, "
        f"part IS NULL AND element_at(summary, '{IMPORTED}') IS NULL AND operation IN ('append', 'overwrite') "
        f"AND {growth} > 0 AS is_silent "
        f"FROM {_metadata('snapshots')} LEFT JOIN UNNEST(split(element_at(summary, '{OFFSETS}'), ' ')) AS parts (part) "
        f"ON true WHERE committed_at >= {_timestamp(bounds.committed - _SKEW)} "
        # Snapshots that were rolled back are still there.
        f"AND snapshot_id IN (SELECT snapshot_id FROM {_metadata('history')} WHERE is_current_ancestor)"
        ") AS ranges GROUP BY number) AS partitions"
    )


def _check(bounds: Bounds) -> str:
    """Select one row that is no record, or fail. No column of it is a constant that a filter could exclude."""
    failures = (
        f"WHEN known >= 0 THEN {_fail(bounds.problem, 'varchar')}"
        if bounds.problem
        else f"WHEN current_timestamp > {_timestamp(bounds.seen + _EXPIRY)} THEN {_fail(_LATE, 'varchar')} "
        # Without a snapshot, the whole topic is the tail.
        f"WHEN known = 0 AND {bounds.snapshot} > 0 THEN {_fail(_GONE, 'varchar')}"
    )
    return (
        f"SELECT CASE WHEN known < 0 THEN 0 END, CASE WHEN known < 0 THEN BIGINT '0' END, CASE {failures} END "
        f"FROM (SELECT count_if(snapshot_id = {bounds.snapshot} AND is_current_ancestor) AS known "
        f"FROM {_metadata('history')}) AS history"
    )


def _metadata(name: str) -> str:
    catalog, schema, table = EVENTS.split(".")
    return f'{catalog}.{schema}."{table}${name}"'


def _fail(message: str, kind: str) -> str:
    return f"CAST(fail({literal(message)}) AS {kind})"


def _timestamp(time: datetime) -> str:
    return f"TIMESTAMP '{time:%Y-%m-%d %H:%M:%S.%f} UTC'"
