"""The JSON Schemas of events allow what the contract allows, and refuse what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from game_events import EVENT_TYPES, Field, InvalidEventError, Kind, validate
from game_events.codec import FIELDS_OF_TYPE
from game_events.fields import MAX_DEPTH, MAX_NUMBER
from game_events.json_schema import event_schema
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.poison import EXAMPLES

VALIDATORS = {name: Draft202012Validator(event_schema(each)) for name, each in EVENT_TYPES.items()}
PATHS = sorted(EXAMPLES.glob("*.json"))

# Only the contract tells 1.0 from 1, and no UTF-8 has a surrogate.
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: not value.is_integer())
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | TEXT
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=5)
NESTED = st.recursive(
    ANYTHING | st.sampled_from([-MAX_NUMBER, MAX_NUMBER, MAX_NUMBER + 1]),
    lambda inner: st.lists(inner, min_size=1, max_size=1) | st.dictionaries(TEXT, inner, min_size=1, max_size=1),
    max_leaves=MAX_DEPTH + 1,
)


def near(field: Field) -> st.SearchStrategy[Any]:
    """Values of the field's kind about its bounds."""
    bounds = st.sampled_from([field.minimum, field.maximum]).flatmap(lambda bound: st.integers(bound - 1, bound + 1))
    if field.kind is Kind.STRING:
        return st.builds(lambda size, end: "x" * (size - len(end)) + end, bounds, TEXT)
    if field.kind is Kind.OBJECT:
        return st.dictionaries(TEXT, NESTED, max_size=3)
    return st.booleans() if field.kind is Kind.BOOLEAN else bounds


@st.composite
def changed_examples(draw: st.DrawFn) -> dict[str, Any]:
    """An example with one field set to anything, or removed."""
    event: dict[str, Any] = json.loads(draw(st.sampled_from(PATHS)).read_text())
    fields = FIELDS_OF_TYPE[event["event_type"]]
    name = draw(st.sampled_from([name for name in fields if name != "event_type"]) | TEXT)
    if name in event and draw(st.booleans()):
        del event[name]
    else:
        event[name] = draw(near(fields[name]) | ANYTHING if name in fields else ANYTHING)
    return event


def allows(event: dict[str, Any]) -> bool:
    try:
        validate(event)
    except InvalidEventError:
        return False
    return True


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_examples_match_their_schemas_alone(path: Path) -> None:
    """Each schema is valid itself, and allows the example of its own type and of no other."""
    event = json.loads(path.read_text())
    Draft202012Validator.check_schema(event_schema(EVENT_TYPES[path.stem]))
    assert [name for name, validator in VALIDATORS.items() if validator.is_valid(event)] == [path.stem]


@settings(max_examples=300, deadline=None)
@given(changed_examples())
def test_schemas_and_contract_agree(event: dict[str, Any]) -> None:
    """A changed event is valid by its schema if, and only if, the contract allows it."""
    assert VALIDATORS[event["event_type"]].is_valid(event) == allows(event)
