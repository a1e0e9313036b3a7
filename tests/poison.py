"""Records that are not valid events, each with the start of the error message."""

import json
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[1] / "api/examples"

SWORD: dict[str, Any] = json.loads((EXAMPLES / "purchase_sword.json").read_text())


def _sword(**changes: object) -> bytes:
    return json.dumps(SWORD | changes).encode()


def _sword_without(field: str) -> bytes:
    return json.dumps({name: value for name, value in SWORD.items() if name != field}).encode()


_TYPES = "event_type: expected one of"
_STRENGTH = "strength: expected an integer from 0 to 10"

POISON: dict[str, tuple[bytes | None, str]] = {
    "tombstone": (None, "record: has no value (a tombstone)"),
    "empty": (b"", "record: is not a JSON object"),
    "not JSON": (b"purchase_sword", "record: is not a JSON object"),
    "cut short": (_sword()[:-10], "record: is not a JSON object"),
    "followed by more": (_sword() + b" {}", "record: is not a JSON object"),
    "followed by another": (_sword() + b", {}", "record: is not a JSON object"),
    "followed by a bracket": (_sword() + b"] x", "record: is not a JSON object"),
    "NaN": (_sword(strength=float("nan")), _STRENGTH),
    "a key twice": (_sword()[:-1] + b', "strength": 7}', "record: is not a JSON object"),
    "not UTF-8": (b'{"event_type": "\xff\xfe"}', "record: is not UTF-8"),
    "JSON null": (b"null", "record: is not a JSON object"),
    "a number": (b"5", "record: is not a JSON object"),
    "a string": (b'"purchase_sword"', "record: is not a JSON object"),
    "an array": (b"[" + _sword() + b"]", "record: is not a JSON object"),
    "an empty object": (b"{}", "event_type: is missing"),
    "deeply nested": (b'{"a":' * 5000 + b"1" + b"}" * 5000, "record: is not a JSON object"),
    "nested where a value belongs": (_sword(description={"text": "large"}), "description: expected a string"),
    "unknown type": (_sword(event_type="purchase_dragon"), _TYPES),
    "a type of the wrong type": (_sword(event_type=7), _TYPES),
    "no type": (_sword(event_type=None), _TYPES),
    "missing field": (_sword_without("player"), "player: is missing"),
    "null field": (_sword(player=None), "player: expected a string"),
    "missing own field": (_sword_without("strength"), "strength: is missing"),
    "a number as a string": (_sword(strength="5"), _STRENGTH),
    "a fraction": (_sword(strength=5.0), _STRENGTH),
    "a boolean": (_sword(strength=True), _STRENGTH),
    "out of range": (_sword(strength=11), _STRENGTH),
    "below range": (_sword(strength=-1), _STRENGTH),
    "beyond 32 bits": (_sword(strength=2**31), _STRENGTH),
    "beyond 64 bits": (_sword(strength=2**64), _STRENGTH),
    "a string as a number": (_sword(player=5), "player: expected a string"),
    "an empty name": (_sword(player=""), "player: expected a string"),
    "a long name": (_sword(player="x" * 256), "player: expected a string"),
    "a control character": (_sword(player="knight\n1"), "player: expected a string"),
    "time in seconds": (_sword(received_at=1_795_465_200), "received_at: expected an integer"),
    "time as text": (_sword(received_at="2026-11-23T21:00:00Z"), "received_at: expected an integer"),
    "a field name without a UTF-8 form": (_sword(**{"\ud800": 1}), "\\ud800: is no field of this event type"),
    "a long field name": (_sword(**{"x" * 5000: 1}), f"{'x' * 63}…: is no field of this event type"),
    "unknown field": (_sword(colour="red"), "colour: is no field of this event type"),
    "another type's field": (_sword(guild="Knights"), "guild: is no field of this event type"),
    "a lone surrogate as a field's name": (
        _sword()[:-1] + rb', "\ud800": 1}',
        "",
    ),
    "a lone surrogate in a field's name": (_sword()[:-1] + rb', "a\udfffb": 1}', ""),
    "a lone surrogate in a name": (
        _sword()[:-1].replace(b"knight1", rb"\ud800knight1") + b"}",
        "player: expected a string",
    ),
    "a lone surrogate as a type": (rb'{"event_type": "\ud800"}', _TYPES),
    "a name of control characters": (_sword(**{"\x00\x1b[2J": 1}), ""),
    "a name of 100 KB": (_sword(**{"n" * 100_000: 1}), "nnn"),
    "an empty field name": (_sword(**{"": 1}), ": is no field of this event type"),
    "an integer of 4,000 digits": (_sword()[:-1] + b', "x": ' + b"9" * 4000 + b"}", "x: is no field"),
    "an integer of 5,000 digits": (_sword()[:-1] + b', "x": ' + b"9" * 5000 + b"}", "record: is not a JSON object"),
    "a strength of 4,000 digits": (_sword(strength=int("9" * 4000)), _STRENGTH),
    "a deeply nested array": (_sword()[:-1] + b', "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "record: is not"),
    "infinity": (_sword(strength=float("-inf")), _STRENGTH),
    "a byte order mark": (b"\xef\xbb\xbf" + _sword(), "record: is not a JSON object"),
    "an encoded surrogate": (b'{"event_type": "\xed\xa0\x80"}', "record: is not UTF-8"),
    "1 MB": (_sword(description="x" * 1_000_000), "description: expected a string"),
    "1 MB of nothing": (b"\x00" * 1_000_000, "record: is not a JSON object"),
}

HOSTILE_KEYS: tuple[bytes | None, ...] = (None, b"", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"k" * 100_000)
"""Keys that none of our clients writes."""

HOSTILE_HEADERS: tuple[list[tuple[str, bytes | None]], ...] = (
    [],
    [("", b"")],
    [("name", None)],
    [("name", b"\xff\xfe"), ("name", b"again")],
    [("\u202e\x00", b"\x00" * 10_000)],
)

HOSTILE_TIMESTAMPS: tuple[int, ...] = (
    # Out of range for 64 bits of microseconds, before year 1, before 1970.
    -(10**16),
    -(2**63) + 2**42,
    -9_223_372_036_854_776,
    -9_223_372_036_854_775,
    -100_000_000_000_000,
    -62_135_596_800_001,
    -1_000,
    1,
)
"""Milliseconds since the epoch that a broker accepts as a record's creation time."""
