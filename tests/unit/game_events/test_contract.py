"""The event contract: examples, encoding, ids and compatibility."""

import copy
import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from game_events import EVENT_TYPES, InvalidEventError, Kind, decode, encode, validate
from game_events.compatibility import RELEASED, breaks, contract
from game_events.event_ids import is_service_made, may_be_retried, uuid7s
from game_events.table import COLUMNS, family_query

from tests.poison import EXAMPLES, POISON, SWORD


def test_every_type_has_an_example() -> None:
    """Each event type has one example payload, named after it."""
    assert {path.stem for path in EXAMPLES.glob("*.json")} == set(EVENT_TYPES)


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_example(example: Path) -> None:
    """An example is valid, has the type of its file name, and survives encoding."""
    event = json.loads(example.read_text())
    validate(event)
    assert event["event_type"] == example.stem
    assert decode(encode(event)) == event


@pytest.mark.parametrize("name", POISON)
def test_poison(name: str) -> None:
    """An invalid record is refused with a message that names the field."""
    value, message = POISON[name]
    with pytest.raises(InvalidEventError) as refusal:
        decode(value)
    assert str(refusal.value).startswith(message)
    assert str(refusal.value) == f"{refusal.value.field}: {refusal.value.problem}"


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("occurred_at", [0, 4_102_444_800_000], [-1, 4_102_444_800_001, 1.0, "1"]),
        ("sequence", [0, 2**31 - 1], [-1, 2**31]),
        ("session_id", ["x", "x" * 128], ["", "x" * 129]),
        ("country", ["DE"], ["de", "D", "DEU", "ÄÖ", "D\n"]),
        ("experiments", [{}, {"shop": "b"}], [[], "", {"shop": 1}, {"shop": None}, {"x": "x" * 1017}]),
        (
            "properties",
            [{}, {"a": [[[[1.5]]]], "b": {"": None}, "c": [True, 10**18, -1e18]}, {"x": "x" * 8184}],
            [
                *([], "{}", None, {"a": [[[[[]]]]]}, {"a": 10**18 + 1}, {"a": 1e20}, {"a": float("nan")}),
                *({"a": "\n"}, {"a": {"b\x00": 1}}, {"a": "\ud800"}, {"x": "x" * 8185}, {"x": "ä" * 4093}),
            ],
        ),
    ],
)
def test_the_context(name: str, allowed: list[object], refused: list[object]) -> None:
    """Every event may have a context: what is allowed survives encoding, anything else is refused by its name."""
    for value in allowed:
        assert decode(encode(SWORD | {name: value})) == SWORD | {name: value}
    for value in refused:
        with pytest.raises(InvalidEventError, match=f"^{name}: expected "):
            decode(json.dumps(SWORD | {name: value}).encode())


def test_encoding_is_compact_utf8() -> None:
    """An event is encoded without spaces, and its text as UTF-8 rather than as escapes."""
    assert encode({"player": "Jürgen 🗡️"}) == '{"player":"Jürgen 🗡️"}'.encode()


def test_ids_are_uuid7_and_sort_by_time() -> None:
    """Event ids are UUIDv7: they carry their creation time and sort by it."""
    now = time.time_ns() // 1_000_000
    ids = [one for moment in range(now, now + 100) for one in uuid7s(moment, 2)]
    assert {(uuid.UUID(one).version, uuid.UUID(one).variant) for one in ids} == {(7, uuid.RFC_4122)}
    assert [uuid.UUID(one).int >> 80 for one in ids] == [moment for moment in range(now, now + 100) for _ in range(2)]
    assert len(set(ids)) == len(ids)


def test_the_services_ids_are_recognised() -> None:
    """A service-made id is distinguishable from other UUIDv7, and may be retried for ten minutes."""
    now = 1_795_465_202_000
    [event_id] = uuid7s(now, 1)
    assert is_service_made(event_id)
    assert not any(
        map(is_service_made, ("", "k1", "019a0000-0000-7000-8000-000000000002", event_id.upper(), f"{event_id}0"))
    )
    assert may_be_retried(event_id, now + 600_000)
    assert not may_be_retried(event_id, now + 600_001)
    assert not may_be_retried("x" + event_id[1:], now)


def test_the_contract_is_compatible_with_the_released_one() -> None:
    """Events written under the released contract are still valid."""
    assert breaks(json.loads(RELEASED.read_text()), contract()) == []


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the current contract with the value at `path` replaced, or removed if `value` is None."""
    new: Any = copy.deepcopy(contract())
    *parents, last = path.split(".")
    parent = new
    for key in parents:
        parent = parent[key]
    if value is None:
        del parent[last]
    else:
        parent[last] = value
    return dict(new)


OPTIONAL = {"kind": "STRING", "required": False, "minimum": 0, "maximum": 10}


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("event_types.join_guild", None, "join_guild: the event type was removed"),
        ("event_types.join_guild.family", "visits", "join_guild: moved from family joins to visits"),
        ("event_types.join_guild.fields.guild", None, "join_guild.guild: the field was removed"),
        (
            "event_types.join_guild.fields.guild.kind",
            "INTEGER",
            "join_guild.guild: was STRING, now INTEGER; add a field instead",
        ),
        ("event_types.join_guild.fields.guild.required", True, "join_guild.guild: was optional, now required"),
        ("event_types.join_guild.fields.guild.maximum", 63, "join_guild.guild: allows fewer values than before"),
        ("event_types.join_guild.fields.guild.minimum", 2, "join_guild.guild: allows fewer values than before"),
        (
            "event_types.join_guild.fields.rank",
            OPTIONAL | {"required": True},
            "join_guild.rank: expected a new field to be optional",
        ),
        ("common_fields.platform", None, "platform: the field was removed"),
        ("common_fields.country.pattern", "[A-Y]{2}", "country: allows fewer values than before"),
        ("common_fields.properties.values", "STRING", "properties: allows fewer values than before"),
        ("common_fields.rank", OPTIONAL | {"required": True}, "rank: expected a new field to be optional"),
    ],
)
def test_a_break_is_named(path: str, value: object, problem: str) -> None:
    """A change that breaks old readers or old records is named."""
    [found] = breaks(contract(), changed(path, value))
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("event_types.join_guild.fields.rank", OPTIONAL),
        ("event_types.join_guild.fields.guild.maximum", 65),
        ("event_types.become_king", {"family": "joins", "fields": {}}),
        ("common_fields.rank", OPTIONAL),
        ("common_fields.country.pattern", None),
    ],
)
def test_growth_breaks_nothing(path: str, value: object) -> None:
    """A new type, a new optional field and a wider range are allowed."""
    assert breaks(contract(), changed(path, value)) == []


def test_a_column_has_one_kind() -> None:
    """Each field of each event type has a column of its kind."""
    kinds = {column.name: column.kind for column in COLUMNS}
    assert all(kinds[f.name] is f.kind for event_type in EVENT_TYPES.values() for f in event_type.own_fields)
    assert kinds["kafka_offset"] is Kind.LONG


def test_a_view_has_only_its_familys_columns() -> None:
    """A view selects its family's fields and those of the first version, and no other family's."""
    query = family_query("joins", "lake.default.events")
    assert "guild" in query
    assert "strength" not in query
    assert SWORD.keys() - {"strength", "schema_version", "received_at"} <= set(query.replace(",", " ").split())
