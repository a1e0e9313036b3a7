"""Bulk items that need no second look: they are decoded, checked and encoded by types made from the contract.

Whatever is unusual is left to game_api/items.py, which alone says what is wrong with an item. Both write the same
records.
"""

from collections.abc import Sequence, Set
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, Union

import msgspec
from game_events import COMMON_FIELDS, FREE, SCHEMA_VERSION, EventType, Field, InvalidEventError, Kind, encode
from game_events.codec import from_json
from game_events.event_ids import is_service_made, uuid7s
from game_events.fields import to_json
from game_events.names import NAMES, prepared
from msgspec import UNSET, Meta, Raw, Struct

from game_api.items import FROM_REQUEST, MAX_ITEMS
from game_api.log.event_log import Record
from game_api.origin import Origin

_OPTIONAL = frozenset({"event_id", "player"})
"""Required fields of an event that an item may leave out."""


def _type_of(field: Field) -> Any:  # noqa: ANN401 a type
    if field.kind is Kind.BOOLEAN:
        return bool
    if field.kind is Kind.STRING:
        pattern = rf"\A{field.pattern}\Z" if field.pattern else None
        return Annotated[str, Meta(min_length=field.minimum, max_length=field.maximum, pattern=pattern)]
    if field.kind is Kind.OBJECT:
        return Raw
    return Annotated[int, Meta(ge=field.minimum, le=field.maximum)]


def _struct_of(event_type: EventType) -> type[Struct]:
    members: list[Any] = []
    for field in (*COMMON_FIELDS, *event_type.own_fields):
        if field.name in FROM_REQUEST or field.name == "event_type":
            continue
        if field.required and field.name not in _OPTIONAL:
            members.append((field.name, _type_of(field)))
        else:
            members.append((field.name, _type_of(field) | msgspec.UnsetType, UNSET))
    return msgspec.defstruct(
        event_type.name,
        members,
        tag=event_type.name,
        tag_field="event_type",
        forbid_unknown_fields=True,
        kw_only=True,
        # They cannot refer to each other: the garbage collector need not look at them.
        gc=False,
    )


_STRUCTS = tuple(map(_struct_of, FREE))
_decode = msgspec.json.Decoder(list[Union[_STRUCTS]]).decode  # type: ignore[valid-type] # noqa: UP007 made at run time
_encode_lines = msgspec.json.Encoder().encode_lines

_NAMED = {
    struct: tuple(name for name in NAMES if name != "player" and name in struct.__struct_fields__)
    for struct in _STRUCTS
}
"""The names in the items of each type, beside the player."""
_OBJECTS = tuple(field for field in COMMON_FIELDS if field.kind is Kind.OBJECT)
_OBJECT_KEYS = tuple(f'"{field.name}":'.encode() for field in _OBJECTS)
# A third of what a NamedTuple's own constructor costs.
_new = tuple.__new__


class Made(NamedTuple):
    records: list[Record]
    event_ids: list[str]


def decode(data: bytes, decided: Set[str] = frozenset()) -> list[Any] | None:
    """Return the items of a body, or None if it is unusual, or has items of the types in `decided`.

    Without a backslash, no string holds a control character, a quotation mark or a surrogate.
    """
    if b"\\" in data or b"\x7f" in data:
        return None
    try:
        items: list[Any] = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if decided and not decided.isdisjoint([item.__class__.__name__ for item in items]):
        return None
    return items if 1 <= len(items) <= MAX_ITEMS else None


def players(items: Sequence[Any]) -> list[str | None]:
    """Return whom each item names."""
    return [None if item.player is UNSET else item.player for item in items]


def records(
    items: Sequence[Any], colons: int, sender: Origin, now: int, suppressed: Set[str] = frozenset()
) -> Made | None:
    """Return the record of each item and its id, or None if an item is unusual, or of a player in `suppressed`.

    `colons` is the number of colons in the body: fewer are left if a key was repeated.
    """
    lines = _encode_lines(items)
    if lines.count(b":") != colons:
        return None
    # Most have none.
    if any(key in lines for key in _OBJECT_KEYS) and not all(map(_has_usual_objects, items)):
        return None
    shared = {"schema_version": SCHEMA_VERSION, "received_at": now, **sender.headers}
    named = {"player": sender.player} | ({"player_name": sender.player_name} if sender.player_name else {})
    others, own = b"," + encode(shared)[1:], b"," + encode(named | shared)[1:]
    key = sender.player.encode()
    if suppressed and any((sender.player if item.player is UNSET else item.player) in suppressed for item in items):
        return None
    ids = uuid7s(now, len(items))
    made: list[Record] = []
    # The last line has an end, too.
    for index, (item, line) in enumerate(zip(items, lines.split(b"\n"), strict=False)):
        for name in _NAMED[item.__class__]:
            if (value := getattr(item, name)) is not UNSET and not _is_plain(name, value):
                return None
        if (event_id := item.event_id) is UNSET:
            begun = line[:-1] + b',"event_id":"' + ids[index].encode() + b'"'
        elif is_service_made(event_id):
            return None
        else:
            ids[index] = event_id
            begun = line[:-1] + b',"idempotent":true'
        if (player := item.player) is UNSET:
            made.append(_new(Record, (key, begun + own)))
        elif _is_plain("player", player):
            made.append(_new(Record, (player.encode(), begun + others)))
        else:
            return None
    return Made(made, ids)


def _has_usual_objects(item: Any) -> bool:  # noqa: ANN401 one of the types
    for field in _OBJECTS:
        if (text := getattr(item, field.name)) is not UNSET and not _is_usual_object(field, bytes(text)):
            return False
    return True


@lru_cache(1024)
def _is_usual_object(field: Field, text: bytes) -> bool:
    """Whether an object is allowed, and written as `encode` writes it."""
    try:
        value = from_json(text.decode())
    except (ValueError, RecursionError):
        return False
    return field.allows(value) and to_json(value).encode() == text


@lru_cache(65536)
def _is_plain(field: str, name: str) -> bool:
    """Whether a name is its own normal form."""
    try:
        return prepared(field, name) == name
    except InvalidEventError:
        return False
