"""A digest of the columns that a record determines: computed in Python for a record, in SQL for a row of the table."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from game_events import EVENT_TYPES, REJECTED, InvalidEventError, decode
from game_events.fields import Field, Kind, to_json
from game_events.table import COLUMNS, COUNTS
from lake.record_times import shown

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_COLUMNS = [column for column in COLUMNS if column is not COUNTS]
_KINDS = {column.name: column.kind for column in _COLUMNS}


def expression() -> str:
    """Return the SQL expression for the digest of a row of `events`."""
    parts = (f"coalesce(concat(cast(length({text}) AS varchar), ':', {text}), '-')" for text in map(_sql, _COLUMNS))
    return f"lower(to_hex(sha256(to_utf8(concat({', '.join(parts)})))))"


def digests(key: bytes | None, value: bytes | None, place: tuple[int, int], milliseconds: int) -> tuple[str, ...]:
    """Return the digests of all rows that a record may become; `milliseconds` is its timestamp.

    An invalid event becomes a rejected row. A valid event becomes its own row, without its target or its host if they
    name a player who was erased later, or a rejected row if the contract at the time of reading did not accept it yet.
    """
    partition, offset = place
    time = shown(milliseconds)
    common = {"kafka_partition": partition, "kafka_offset": offset, "kafka_timestamp": time}
    rejected = common | {"family": REJECTED, "received_at": time, "raw_key": key, "raw_value": value}
    try:
        event = decode(value)
    except InvalidEventError:
        return (_digest(rejected),)
    row = common | event | {"family": EVENT_TYPES[event["event_type"]].family}
    rows = [row]
    for erased in ({"target": None, "target_name": None}, {"host": None}):
        rows += [one | erased for one in rows if any(one.get(name) is not None for name in erased)]
    return (*map(_digest, rows), _digest(rejected))


def _digest(row: Mapping[str, Any]) -> str:
    texts = (None if row.get(name) is None else _text(kind, row[name]) for name, kind in _KINDS.items())
    parts = ("-" if text is None else f"{len(text)}:{text}" for text in texts)
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _text(kind: Kind, value: Any) -> str:  # noqa: ANN401 of that kind
    match kind:
        case Kind.STRING:
            return str(value)
        case Kind.OBJECT:
            return to_json(value)
        case Kind.BINARY:
            return hashlib.sha256(value).hexdigest()
        case Kind.TIMESTAMP:
            return f"{_EPOCH + timedelta(milliseconds=value):%Y-%m-%d %H:%M:%S.%f} UTC"
        case Kind.BOOLEAN:
            return "true" if value else "false"
        case _:
            return str(value)


def _sql(column: Field) -> str:
    if column.name == "error":
        # The message depends on the version of the contract that read the record.
        return f"if(family = '{REJECTED}', NULL, error)"
    if column.kind in (Kind.STRING, Kind.OBJECT):
        return column.name
    if column.kind is Kind.BINARY:
        return f"lower(to_hex(sha256({column.name})))"
    return f"cast({column.name} AS varchar)"
