"""The live views: a family's view and the tail of the topic, together exactly what Kafka has."""

import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from game_events import EVENT_TYPES, FAMILIES, InvalidEventError, Kind, decode, encode
from game_events.catalog import COMMON_FIELDS
from game_events.codec import FIELDS_OF_TYPE
from game_events.event_ids import uuid7s
from game_events.fields import Field
from game_events.texts import valid_events
from lake.tail import Bounds, tail_query
from testbed.clients import topic
from testbed.stack.stack import Stack
from testbed.waiting import wait_until
from trino.exceptions import TrinoUserError

from tests.attempts import counted
from tests.local.lake import Lake, Place
from tests.local.traffic import running_stream
from tests.poison import EXAMPLES, POISON, SWORD

_ODD_TEXTS = (
    *('"', "\\", "\\u0041", "\\\\", 'a","player":"b', "{", ",", 'x{"', " "),
    *("ё", "\U0001f409", "\u2028", "\ufffd", "\x80"),
)
_OBJECTS: dict[Kind | None, list[Any]] = {
    Kind.STRING: [{}, {"shop": "b", "properties": '"properties":{'}, {"": "ё\\"}, {"x": "\U0001f409" * 254}],
    None: [
        {},
        {"a": [1, -1.5, 0.1 + 0.2, 1e-7, 1e16, 1e18, 10**18, -(10**18), True, None, []], "b": {"c": {"d": [{}]}}},
        {"properties": {"experiments": {"properties": {}}}, "experiments": {"a": "}"}},
        {"text": '{"a":1}', "": '\\"', '":': "}]", "x,": [[[["]"]]]]},
        {"x": "\U0001f409" * 2046},
    ],
}
_ODD_OBJECTS = (
    *('{"a":1,"a":2}', '{"b":{"a":1,"a":1}}', '{"a":1e20}', '{"a":10000000000000000001}', '{"a":1e999}', '{"a":NaN}'),
    *(
        '{"a":[[[[[]]]]]}',
        '{"a":1]',
        '{"a"}',
        '{"a":1,}',
        '{"a" "b"}',
        '{["a":1]}',
        '{"a":"\\n"}',
        '{"a":"\x7f"}',
        "{}{}",
    ),
    *('{"a":01}', '{"a":"b"', '{"a":' + '"x"' * 3000 + "}", '{"x":"' + "x" * 8185 + '"}', '{"x":"' + "x" * 1017 + '"}'),
)
_COMMON = [field.name for field in COMMON_FIELDS]
_DAMAGE = (b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\x00", b"\\u0041", b"\\n", b"\\/", b"'")
_BAD_TEXTS = ("\x00", "\x1f", "\x7f", "\n", "\ud800", "\udfff")


def _allowed(field: Field, chance: random.Random) -> list[Any]:
    """Values of the field that are allowed, the extremes among them."""
    if field.kind is Kind.BOOLEAN:
        return [True, False]
    if field.pattern:
        return ["DE", "US"]
    if field.kind is Kind.OBJECT:
        return _OBJECTS[field.values]
    if field.kind is not Kind.STRING:
        return [field.minimum, field.maximum, chance.randint(field.minimum, field.maximum)]
    return ["x" * field.maximum, "\U0001f409" * field.maximum, '"' * field.maximum, *_ODD_TEXTS]


def _refused(field: Field) -> list[Any]:
    odd: list[Any] = [None, [], {}, [1], {"a": 1}, 1.5, "1", "true", True, 1, 10**30, -(10**18), *_BAD_TEXTS]
    return [*odd, field.minimum - 1, field.maximum + 1, "x" * (field.maximum + 1) if field.kind is Kind.STRING else 0]


def _texts() -> list[bytes]:
    """Events as the API writes them, and others that are nearly such."""
    chance = random.Random(1)
    texts = [value for value, _ in POISON.values() if value is not None]
    for path in sorted(EXAMPLES.glob("*.json")):
        event = json.loads(path.read_text())
        event.setdefault("received_at", COMMON_FIELDS[3].minimum)
        fields = FIELDS_OF_TYPE[event["event_type"]]
        texts += [encode(event), json.dumps(event).encode(), encode(event) + b"\n", b" " + encode(event)]
        own = [name for name in fields if name not in _COMMON]
        for name in (*own, *chance.sample(_COMMON, 3)):
            field = fields[name]
            chosen = _allowed(field, chance)
            texts += [encode(event | {name: value}) for value in chance.sample(chosen, 2) if name != "event_type"]
            for value in chance.sample(_refused(field), 3):
                texts.append(json.dumps(event | {name: value}, separators=(",", ":")).encode())
            text = encode(event)
            # The key again, its name escaped, and without it.
            texts += [text[:-1] + f',"{name}":{again}}}'.encode() for again in ("1", '"x"', "true", '{"a":"b"}')]
            texts.append(text.replace(f'"{name}"'.encode(), f'"\\u{ord(name[0]):04x}{name[1:]}"'.encode(), 1))
            texts.append(encode({key: value for key, value in event.items() if key != name}))
        for name in ("experiments", "properties"):
            texts += [encode(event | {name: value}) for value in _allowed(fields[name], chance)]
            texts += [encode({name: value} | event) for value in chance.sample(_allowed(fields[name], chance), 1)]
            texts += [encode(event)[:-1] + f',"{name}":{value}}}'.encode() for value in chance.sample(_ODD_OBJECTS, 5)]
        texts.append(encode(event | {"experiments": {"a": "b"}, "properties": {"experiments": {"a": 1}}}))
        for other in chance.sample(sorted(EVENT_TYPES), 3):
            texts.append(encode(event | {"event_type": other}))
        for damage in _DAMAGE:
            at = text.index(b'"player":"') + 10
            texts.append(text[:at] + damage + text[at:])
        for old, new in ((b":", b": "), (b"1", b"01"), (b"1", b"1.0"), (b"1", b"1e0"), (b"1", b"+1"), (b"0", b"-0")):
            texts.append(text.replace(old, new, 1))
    return texts


def _event(value: bytes | None) -> dict[str, Any] | None:
    try:
        return decode(value)
    except InvalidEventError:
        return None


def _row(family: str, event: dict[str, Any]) -> list[Any]:
    return [
        _value(field, event[field.name]) if field.name in event else None
        for field in (*COMMON_FIELDS, *FAMILIES[family])
    ]


def _value(field: Field, value: Any) -> Any:  # noqa: ANN401 of the field's kind
    if field.kind is Kind.TIMESTAMP:
        return datetime.fromtimestamp(value / 1000, UTC)
    return encode(value).decode() if field.kind is Kind.OBJECT else value


def test_trino_reads_events_as_the_contract_does(lake: Lake) -> None:
    """SQL takes no record that the contract rejects, and all that the API writes, with the same values."""
    places = lake.write([*_texts(), None])
    records = (
        "(SELECT _partition_id AS p, _partition_offset AS o, _message AS value FROM kafka.default.events "
        f"WHERE _partition_offset >= {min(offset for _, offset in places)})"
    )
    for family in FAMILIES:
        columns = ", ".join(field.name for field in (*COMMON_FIELDS, *FAMILIES[family]))
        query = f"SELECT p, o, {columns} FROM ({valid_events(family, records, ('p', 'o'))}) AS valid"
        found: dict[Place, list[Any]] = {(partition, offset): row for partition, offset, *row in lake.ask(query)}
        for place, value in places.items():
            event = _event(value)
            if event is None or EVENT_TYPES[event["event_type"]].family != family:
                assert place not in found, value
            elif value == encode(event) or place in found:
                assert found[place] == _row(family, event), value


def _bounds(lake: Lake) -> Bounds:
    """The bounds that a stream would set now."""
    [[snapshot, committed]] = lake.ask(
        'SELECT snapshot_id, committed_at FROM lake.default."events$snapshots" '
        "WHERE snapshot_id = (SELECT snapshot_id FROM lake.default.\"events$refs\" WHERE name = 'main')"
    )
    ends = lake.ask("SELECT kafka_partition, max(kafka_offset) + 1 FROM lake.default.events GROUP BY 1")
    return Bounds(snapshot, committed, dict(ends), datetime.now(UTC))


def _tail(lake: Lake, bounds: Bounds, limit: int = 1000) -> list[list[Any]]:
    query = tail_query("events", bounds, limit)
    return lake.ask(f"SELECT kafka_partition, kafka_offset FROM ({query}) AS tail WHERE value IS NOT NULL")


def test_where_the_tail_cannot_be_bounded_it_says_so(lake: Lake, repaired: None) -> None:
    """A query fails, and says why, if the stream does not run or is far behind, or if the table lost or gained rows."""
    lake.write([b"loaded"])
    lake.job("batch.py", "load")
    bounds = _bounds(lake)
    written = lake.write([b"one", b"two", b"three"])
    assert sorted(map(tuple, _tail(lake, bounds))) == sorted(written)
    assert len(_tail(lake, bounds, 4)) == 3
    with lake.open_transaction([b"open"]):
        lake.write([b"after an open transaction"])
        assert len(_tail(lake, bounds)) == 3
    wait_until("the end of the transaction", lambda: len(_tail(lake, bounds)) == 4)
    with pytest.raises(TrinoUserError, match="too far behind"):
        _tail(lake, bounds, 2)
    with pytest.raises(TrinoUserError, match="does it run"):
        _tail(lake, replace(bounds, seen=datetime.now(UTC) - timedelta(minutes=3)))
    with pytest.raises(TrinoUserError, match="never ran"):
        _tail(lake, replace(bounds, problem="never ran"))
    # Of another table's snapshot.
    with pytest.raises(TrinoUserError, match="rolled back"):
        _tail(lake, replace(bounds, snapshot=1))
    lake.job("batch.py", "load")
    assert _tail(lake, bounds) == []
    later = _bounds(lake)
    lake.ask(f"ALTER TABLE lake.default.events EXECUTE rollback_to_snapshot({bounds.snapshot})")
    with pytest.raises(TrinoUserError, match="rolled back"):
        _tail(lake, later)
    # The snapshots that were rolled back still exist.
    assert len(_tail(lake, bounds)) == 4
    lake.ask(f"ALTER TABLE lake.default.events EXECUTE rollback_to_snapshot({later.snapshot})")
    assert _tail(lake, later) == []
    # A person adds rows and does not say so.
    lake.ask("INSERT INTO lake.default.events (kafka_partition, kafka_offset, received_at) VALUES (0, 999, now())")
    with pytest.raises(TrinoUserError, match="rows of unknown offsets"):
        _tail(lake, later)


PLAYERS = [f"live {number}" for number in range(6)]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _sword(player: str, event_id: str, *, is_marked: bool) -> bytes:
    event = {name: value for name, value in SWORD.items() if name != "idempotent"}
    event |= {"player": player, "event_id": event_id, "received_at": _now()}
    return encode(event | ({"idempotent": True} if is_marked else {}))


class Buyers:
    """They buy swords, some with retries; `count` is what the acknowledged purchases count."""

    def __init__(self, lake: Lake, partitions: int) -> None:
        self._lake, self._partitions = lake, partitions
        self._written: dict[Place, bytes | None] = {}
        self._in_transactions = 0
        self._unanswered: list[tuple[str, str]] = []
        self.count = 0

    def buy(self) -> None:
        for player in PLAYERS:
            key, [made] = uuid.uuid4().hex, uuid7s(_now(), 1)
            retries = [(who, one) for who, one in self._unanswered if who == player]
            self._unanswered = [(who, one) for who, one in self._unanswered if who != player]
            values = [
                _sword(player, uuid.uuid4().hex, is_marked=False),
                _sword(player, key, is_marked=True),
                _sword(player, key, is_marked=True),
                # The service made the id; the retry comes with the next purchase.
                _sword(player, made, is_marked=False),
                *(_sword(who, one, is_marked=True) for who, one in retries),
            ]
            self._unanswered += [(player, made), (player, key)]
            self._written |= self._lake.write(values, player.encode())
        self._lake.write([b"invalid", None, *(value for value, _ in list(POISON.values())[:20])])
        self._count()

    def transact(self) -> None:
        for is_committed in (False, True):
            value = _sword(PLAYERS[0], uuid.uuid4().hex, is_marked=False)
            self._lake.transact([value], commit=is_committed)
            self._in_transactions += self._partitions * is_committed
        self._count()

    def _count(self) -> None:
        events = (decode(self._written[place]) for place in sorted(self._written))
        self.count = len(list(counted(events))) + self._in_transactions


def _bought(lake: Lake, view: str) -> int:
    return int(lake.ask(f"SELECT count(*) FROM {view} WHERE player LIKE 'live %'")[0][0])


@contextmanager
def _watching(lake: Lake, buyers: Buyers) -> Iterator[None]:
    """Count the live purchases repeatedly; each count must have what was acknowledged before, and never fall."""
    counts: list[int] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            least = buyers.count
            counts.append(_bought(lake, "purchases_live"))
            assert counts[-1] >= least

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            yield
        finally:
            stop.set()
        watching.result()
    assert counts == sorted(counts)


def _answers(lake: Lake) -> bool:
    try:
        return _bought(lake, "purchases_live") >= 0
    except TrinoUserError:
        return False


def test_a_live_view_has_exactly_what_kafka_has(stack: Stack, lake: Lake) -> None:
    """While the stream commits, a count never falls or lacks an acknowledged event, and it ends equal to Kafka's."""
    buyers = Buyers(lake, len(topic.end_offsets(stack.settings)))
    with running_stream(stack, lake, trigger=3):
        wait_until("the live views", lambda: _answers(lake))
        with _watching(lake, buyers):
            for number in range(20):
                buyers.buy()
                if number % 5 == 0:
                    buyers.transact()
                time.sleep(0.5)
            assert _bought(lake, "purchases_live") == buyers.count
        assert _bought(lake, "purchases") <= buyers.count
    assert _bought(lake, "purchases") == _bought(lake, "purchases_live") == buyers.count
    assert lake.ask("DESCRIBE purchases") == lake.ask("DESCRIBE purchases_live")
