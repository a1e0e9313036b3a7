"""The tail: the records of the topic that the table does not have, as a view that Trino can read within bounds."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from game_events.table import literal

from lake.history import OFFSETS

LIMIT = 200_000
"""Offsets of one partition that a query may have to read."""
_SKEW = timedelta(minutes=2)
"""By how much the clocks of two writers may differ; Iceberg tolerates a minute."""


def tail_query(topic: str, events: str, ends: Mapping[int, int], snapshot: int, written: datetime, expires: datetime) -> str:
    """Select kafka_partition, kafka_offset and value of the records that the table does not have.

    `ends` are the ends of the partitions as of `snapshot`, which was seen at `written`.
    """
    since = _timestamp(written - _SKEW)
    parts = [
        _records(topic, f"{partition}", f"_partition_id = {partition} AND _partition_offset >= {end}", end + LIMIT)
        for partition, end in sorted(ends.items())
    ]
    new = max(ends, default=-1) + 1
    parts.append(_records(topic, "CAST(_partition_id AS integer)", f"_partition_id >= {new}", LIMIT))
    records = " UNION ALL ".join(parts)
    return (
        "SELECT kafka_partition, kafka_offset, "
        # Trino takes the bytes as they are.
        "CASE WHEN to_utf8(from_utf8(to_utf8(value))) = to_utf8(value) THEN value END AS value "
        f"FROM ({records}) AS records CROSS JOIN ({_covered(events, since)}) AS covered "
        "WHERE kafka_offset >= coalesce(element_at(ends, kafka_partition), 0) "
        f"UNION ALL {_check(events, snapshot, since, expires)}"
    )


def _records(topic: str, partition: str, where: str, limit: int) -> str:
    late = literal("the stream is too far behind for the live views: query the views without _live")
    return (
        f"SELECT {partition} AS kafka_partition, _partition_offset AS kafka_offset, _message AS value "
        f"FROM {topic} WHERE {where} AND CASE WHEN _partition_offset >= {limit} THEN fail({late}) ELSE true END"
    )


def _covered(events: str, since: str) -> str:
    said = f"element_at(summary, '{OFFSETS}')"
    return (
        "SELECT map_agg(number, covered) AS ends FROM ("
        "SELECT CAST(split_part(part, ':', 1) AS integer) AS number, "
        "max(CAST(split_part(part, '-', 2) AS bigint)) AS covered "
        f"FROM {_metadata(events, 'snapshots')} CROSS JOIN UNNEST(split({said}, ' ')) AS parts (part) "
        f"WHERE committed_at >= {since} GROUP BY 1) AS covered"
    )


def _check(events: str, snapshot: int, since: str, expires: datetime) -> str:
    """Select one row without a value, or fail. Its columns are no constants, so that no filter makes it go away."""
    late = literal("the live views' bounds are too old, because the stream does not run: query the views without _live")
    gone = literal("the table was rolled back or replaced: query the views without _live until the stream has seen it")
    return (
        "SELECT CASE WHEN known < 0 THEN 0 END, CASE WHEN known < 0 THEN BIGINT '0' END, "
        f"CASE WHEN current_timestamp > {_timestamp(expires)} THEN CAST(fail({late}) AS varchar) "
        f"WHEN known = 0 OR gone > 0 THEN CAST(fail({gone}) AS varchar) END "
        f"FROM (SELECT count_if(snapshot_id = {snapshot} AND is_current_ancestor) AS known, "
        f"count_if(made_current_at >= {since} AND NOT is_current_ancestor) AS gone "
        f"FROM {_metadata(events, 'history')}) AS history"
    )


def _metadata(table: str, name: str) -> str:
    catalog, schema, table = table.split(".")
    return f'{catalog}.{schema}."{table}${name}"'


def _timestamp(time: datetime) -> str:
    return f"TIMESTAMP '{time:%Y-%m-%d %H:%M:%S.%f} UTC'"
