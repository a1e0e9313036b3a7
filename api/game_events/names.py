"""Names of players, targets and guilds: spellings with the same normal form are the same name.

The rules follow PRECIS (RFC 8265, RFC 8266) as far as the standard library allows. Compatibility forms, letter case,
variation selectors and repeated spaces make no difference; invisible characters are refused.
"""

import re
from collections.abc import Mapping
from functools import cache, partial
from typing import Any
from unicodedata import category, normalize

from game_events.codec import InvalidEventError

NAMES = {"player": 255, "target": 255, "guild": 64}
"""The fields that hold a name, with the maximum length of its normal form."""

_SELECTORS = "\ufe00-\ufe0f"
# Letters and marks by category, but invisible.
_BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0"
_ASTRAL_BLANKS = "\U000e0100-\U000e01ef"
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_is_blank = re.compile(f"[{_BLANKS}{_ASTRAL_BLANKS}]").match
_without_selectors = partial(re.compile(f"[{_SELECTORS}]").sub, "")


@cache
def _invisible() -> str:
    """Return the refused assigned characters up to U+FFFF as the inside of a regular expression's character class."""
    codes = [one for one in range(0x10000) if category(chr(one)) in _REFUSED - {"Cn", "Co", "Cs"}]
    starts = [one for one in codes if one - 1 not in codes]
    ends = [one for one in codes if one + 1 not in codes]
    return "".join(f"\\u{start:04x}-\\u{end:04x}" for start, end in zip(starts, ends, strict=True))


def pattern(field: str) -> str:
    """Return what `prepared` accepts, except for the length, as a regular expression for JSON Schema.

    Only `prepared` refuses private-use, unassigned, and invisible characters beyond U+FFFF.
    """
    refused = f"{_invisible()}{_BLANKS}{'' if field == 'guild' else ','}"
    blank = f" \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000{_SELECTORS}"
    return f"^[{blank}]*[^{blank}{refused}][^{refused}]*$"


def normal(name: str) -> str:
    """Return a name's normal form, or the name itself if nothing in it is visible."""
    if name.isascii() and name == name.lower() and "  " not in name and name == name.strip(" "):
        return name
    form, before = _without_selectors(name), ""
    while form != before:
        before, form = form, normalize("NFKC", normalize("NFKC", form).casefold())
    return " ".join(form.split()) or name


def prepared(field: str, given: str) -> str:
    """Return the normal form of a name given for `field`; raise InvalidEventError if it is not a valid name."""
    if not (given.isascii() and given.isprintable()):
        for one in given:
            if category(one) in _REFUSED or _is_blank(one):
                raise InvalidEventError(field, f"expected visible characters, got U+{ord(one):04X}")
    kept = normal(given)
    if not _without_selectors(kept).strip():
        raise InvalidEventError(field, "expected a name, got only invisible characters")
    if len(kept) > NAMES[field]:
        raise InvalidEventError(field, f"expected a normal form of at most {NAMES[field]} characters, got {len(kept)}")
    # WSGI joins repeated headers with a comma.
    if field != "guild" and "," in kept:
        raise InvalidEventError(field, "expected a name without a comma")
    return kept


def prepare(event: dict[str, Any]) -> None:
    """Replace an event's names by their normal form and keep them as given beside it; raise InvalidEventError."""
    for field in NAMES:
        if (given := event.get(field)) is not None and (kept := prepared(field, given)) != given:
            event[field], event[f"{field}_name"] = kept, given


def normalised(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a valid event with its names in normal form, even if its writer did not normalise them."""
    changed = {field: kept for field in NAMES if (was := event.get(field)) and (kept := normal(was)) != was}
    return {**event, **changed} if changed else event


def displayed(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an event with its names as given."""
    given = {field: event[f"{field}_name"] for field in NAMES if f"{field}_name" in event}
    return {**event, **given} if given else event
