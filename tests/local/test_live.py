"""The live views: a family's view and the tail of the topic, together exactly what Kafka has."""

import json
import random
from datetime import UTC, datetime
from typing import Any

from game_events import EVENT_TYPES, FAMILIES, InvalidEventError, Kind, decode, encode
from game_events.catalog import COMMON_FIELDS
from game_events.codec import FIELDS_OF_TYPE
from game_events.fields import Field
from game_events.texts import valid_events

from tests.local.lake import Lake, Place
from tests.poison import EXAMPLES, POISON

_ODD_TEXTS = ('"', "\\", "\\u0041", "\\\\", 'a","player":"b', "{", ",", 'x{"', "ё", "\U0001f409")
_ODD_TEXTS += ("\u2028", "\ufffd", "\x80", " ")
_DAMAGE = (b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\x00", b"\\u0041", b"\\n", b"\\/", b"'")
_BAD_TEXTS = ("\x00", "\x1f", "\x7f", "\n", "\ud800", "\udfff")


def _allowed(field: Field, chance: random.Random) -> list[Any]:
    """Values of the field that are allowed, the extremes among them."""
    if field.kind is Kind.BOOLEAN:
        return [True, False]
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
        for name, field in fields.items():
            chosen = _allowed(field, chance)
            texts += [encode(event | {name: value}) for value in chance.sample(chosen, 2) if name != "event_type"]
            for value in chance.sample(_refused(field), 3):
                texts.append(json.dumps(event | {name: value}, separators=(",", ":")).encode())
            text = encode(event)
            # The key again, its name escaped, and without it.
            texts += [text[:-1] + f',"{name}":{again}}}'.encode() for again in ("1", '"x"', "true")]
            texts.append(text.replace(f'"{name}"'.encode(), f'"\\u{ord(name[0]):04x}{name[1:]}"'.encode(), 1))
            texts.append(encode({key: value for key, value in event.items() if key != name}))
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
    time = datetime.fromtimestamp(event["received_at"] / 1000, UTC)
    return [
        time if field.name == "received_at" else event.get(field.name) for field in (*COMMON_FIELDS, *FAMILIES[family])
    ]


def test_trino_reads_events_as_the_contract_does(lake: Lake) -> None:
    """SQL takes no record that the contract rejects, and all that the API writes, with the same values."""
    places = lake.write([*_texts(), None])
    records = "(SELECT _partition_id AS p, _partition_offset AS o, _message AS value FROM kafka.default.events)"
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
