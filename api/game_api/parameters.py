"""The parameters of an action, from the query string and from a form or JSON body."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from game_events import Field, Kind
from game_events.codec import without_repeats
from werkzeug.exceptions import UnsupportedMediaType

from game_api.bodies import body
from game_api.errors import InvalidRequestError
from game_api.request import Request

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

_NUMBERS = (Kind.INTEGER, Kind.TIMESTAMP)

Value = Any
"""Any JSON value from a JSON body, otherwise text."""


def parameters(request: Request, known: Mapping[str, Field]) -> dict[str, Value]:
    """Return the given parameters; raise InvalidRequestError for one that is not `known` or is repeated."""
    values: dict[str, Value] = {}
    for name, value in [*pairs(request.query), *_from_body(request)]:
        _check_known(name, known)
        if name in values:
            raise InvalidRequestError(name, "expected once, got it twice")
        values[name] = _read(known[name], value)
    return values


def members(data: bytes, known: Mapping[str, Field]) -> dict[str, Value]:
    """Return the members of a JSON object; raise InvalidRequestError for one that is not `known` or is repeated."""
    values = dict(_members(data)) if data else {}
    for name, value in values.items():
        _check_known(name, known)
        # JSON does not distinguish 5.0 from 5.
        if known[name].kind in _NUMBERS and type(value) is float and value.is_integer():
            values[name] = int(value)
    return values


def _check_known(name: str, known: Mapping[str, Field]) -> None:
    if name not in known:
        expected = ", ".join(sorted(known)) or "none"
        raise InvalidRequestError(name[:100], f"expected a parameter of this action ({expected})")


def pairs(query: str) -> list[tuple[str, str]]:
    """Return a query's names and values; raise InvalidRequestError if one is not UTF-8."""
    return list(_pairs(query, "query")) if query else []


def _from_body(request: Request) -> Iterable[tuple[str, Value]]:
    data = body(request)
    if not data:
        return ()
    if request.media_type == FORM:
        return _pairs(data.decode("latin-1"), "body")
    if request.media_type == JSON:
        return _members(data)
    raise UnsupportedMediaType(f"Content-Type: expected {FORM} or {JSON}, got {request.media_type[:100] or 'none'}")


def _pairs(text: str, where: str) -> Iterable[tuple[str, str]]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, encoding="latin-1", max_num_fields=100)
    except ValueError:
        raise InvalidRequestError(where, "expected at most 100 parameters, got more") from None
    for name, value in pairs:
        known = _text(name, where)
        yield known, _text(value, known[:100])


def _text(latin: str, name: str) -> str:
    if latin.isascii():
        return latin
    try:
        return latin.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise InvalidRequestError(name, "is not UTF-8") from None


def _members(data: bytes) -> Iterable[tuple[str, Value]]:
    try:
        decoded = json.loads(data.decode(), object_pairs_hook=without_repeats)
    except UnicodeDecodeError:
        raise InvalidRequestError("body", "is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("body", f"is not JSON: {error}") from None
    if not isinstance(decoded, dict):
        raise InvalidRequestError("body", "expected a JSON object of parameters")
    return decoded.items()


def _read(field: Field, value: Value) -> Value:
    if field.kind is not Kind.INTEGER:
        return value
    # JSON does not distinguish 5.0 from 5.
    if type(value) is float and value.is_integer():
        return int(value)
    # Longer numbers exceed every field's range, and are slow to parse.
    is_number = type(value) is str and value.isascii() and value.isdecimal() and len(value) < 20
    return int(value) if is_number else value
