"""Names of players, targets and guilds: one normal form, by which they are one and the same, however they were written.

The rules are those of PRECIS (RFC 8265, RFC 8266) as far as the standard library goes: compatibility forms and letter
case make no difference, nor do variation selectors and the number of spaces; what cannot be seen is refused.
"""

import re
from collections.abc import Mapping
from typing import Any
from unicodedata import category, normalize

from game_events.codec import InvalidEventError

NAMES = {"player": 255, "target": 255, "guild": 64}
"""The fields that hold a name, and the longest normal form of each."""

_SELECTORS = re.compile("[\ufe00-\ufe0f]")
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks by their category, which show nothing.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    map(chr, range(0xE0100, 0xE01F0))
)


def normal(name: str) -> str:
    """Return a name's normal form; of a name that shows nothing, the name."""
    if name.isascii() and name == name.lower() and "  " not in name and name == name.strip(" "):
        return name
    form, before = _SELECTORS.sub("", name), ""
    while form != before:
        before, form = form, normalize("NFKC", normalize("NFKC", form).casefold())
    return " ".join(form.split()) or name


def prepared(field: str, given: str) -> str:
    """Return the normal form of the name that `field` was given; raise InvalidEventError unless it is a name."""
    if not (given.isascii() and given.isprintable()):
        for one in given:
            if category(one) in _REFUSED or one in _BLANK:
                raise InvalidEventError(field, f"expected visible characters, got U+{ord(one):04X}")
    kept = normal(given)
    if not kept.strip():
        raise InvalidEventError(field, "expected a name, got nothing that can be seen")
    if len(kept) > NAMES[field]:
        raise InvalidEventError(field, f"expected a normal form of at most {NAMES[field]} characters, got {len(kept)}")
    # A header that came twice is joined by one.
    if field != "guild" and "," in kept:
        raise InvalidEventError(field, "expected a name without a comma")
    return kept


def prepare(event: dict[str, Any]) -> None:
    """Give an event's names their normal form, and keep how they were given; raise InvalidEventError."""
    for field in NAMES:
        if (given := event.get(field)) is not None and (kept := prepared(field, given)) != given:
            event[field], event[f"{field}_name"] = kept, given


def normalised(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a valid event with its names in their normal form, whoever wrote it."""
    changed = {field: kept for field in NAMES if (was := event.get(field)) and (kept := normal(was)) != was}
    return {**event, **changed} if changed else event


def displayed(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an event with its names as they were given."""
    given = {field: event[f"{field}_name"] for field in NAMES if f"{field}_name" in event}
    return {**event, **given} if given else event
