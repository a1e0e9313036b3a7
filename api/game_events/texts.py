"""Events as SQL for Trino reads them from the text of a record.

`game_events.codec` decides what an event is. This accepts whatever `encode` writes of a valid event, and nothing that
`decode` rejects; it leaves out valid events that are written differently, such as with spaces between the values.
"""

from collections.abc import Iterable, Sequence

from game_events.catalog import COMMON_FIELDS, EVENT_TYPES, FAMILIES
from game_events.fields import MAX_DEPTH, Field, Kind

_TEXT = r'"(?:[^"\\\x00-\x1F\x7F]++|\\["\\])*+"'
"""A string without escapes other than those that `encode` needs: what else it may not contain cannot be escaped."""

_VALUES = {
    Kind.STRING: _TEXT,
    Kind.BOOLEAN: "(?:true|false)",
    # Up to 18 digits, which fit 64 bits.
    Kind.INTEGER: "-?(?:0|[1-9][0-9]{0,17})",
    Kind.TIMESTAMP: "-?(?:0|[1-9][0-9]{0,17})",
    # Emptied: objects are looked at by themselves.
    Kind.OBJECT: '""',
}
_NUMBER = (
    r"-?(?:(?:0|[1-9][0-9]{0,17})(?:\.[0-9]++)?|10{18}"
    # As Python and JSON write what is too large or too small for plain digits, up to game_events.fields.MAX_NUMBER.
    r"|[1-9](?:\.[0-9]++)?e(?:\+1[67]|-[0-9]{2,3})|1e\+18)"
)


def _object_text() -> str:
    """Return the pattern of an object as far as its words go: json_parse tells whether they are in order."""
    inner = ""
    for _ in range(MAX_DEPTH):
        nested = rf"|[\[{{]{inner}[\]}}]" if inner else ""
        value = rf"(?:{_TEXT}|{_NUMBER}|true|false|null{nested})"
        inner = rf"(?:(?:{_TEXT}:)?+{value}(?:,|(?=[\]}}])))*+"
    return rf"\{{{inner}\}}"


_OBJECT_TEXT = _object_text()
_OBJECTS = "|".join(field.name for field in COMMON_FIELDS if field.kind is Kind.OBJECT)
_MEMBER = f'"(?:{_OBJECTS})":'
_IS_UTF8 = "to_utf8(from_utf8(to_utf8(value))) = to_utf8(value)"
_KEY = '[{,]"[a-z_]+":'
"""Only a key follows a brace or a comma like this: within a string, a quote follows a backslash."""

_TYPES = {
    Kind.STRING: "{}",
    Kind.OBJECT: "{}",
    Kind.BOOLEAN: "{} = 'true'",
    Kind.INTEGER: "TRY_CAST({} AS integer)",
    Kind.TIMESTAMP: "CAST(from_unixtime_nanos(1000000 * TRY_CAST({} AS bigint)) AS timestamp(6) with time zone)",
}


def valid_events(family: str, records: str, keep: Sequence[str]) -> str:
    """Select the family's valid events from `records`, with all their fields and the columns `keep` of `records`.

    `records` has the column `value`, a varchar of any bytes, as Trino's Kafka connector has them.
    """
    fields = (*COMMON_FIELDS, *FAMILIES[family])
    kept = ", ".join(keep)
    columns = ", ".join(f"{_TYPES[field.kind].format(_value(field))} AS {field.name}" for field in fields)
    is_text = f"CASE WHEN {_IS_UTF8} THEN length(value) <= {_longest(fields)} END"
    # The first key in the text that is followed by an object is the event's own, and so is the next one behind that.
    flat = f"regexp_replace(value, '({_MEMBER}){_OBJECT_TEXT}', '$1\"\"')"
    members = f"regexp_extract_all(value, '{_MEMBER}{_OBJECT_TEXT}')"
    entry = "ROW(substr(member, 2, strpos(member, ':') - 3), substr(member, strpos(member, ':') + 1))"
    return (
        f"SELECT {kept}, {columns} FROM {records} "
        # Each field and each condition would otherwise read the text again.
        f"CROSS JOIN UNNEST(ARRAY[CASE WHEN {is_text} THEN {flat} END], ARRAY[CASE WHEN {is_text} THEN {members} END]) "
        "AS texts (flat, members) CROSS JOIN UNNEST(ARRAY["
        f"CASE WHEN regexp_like(flat, '{_flat_object(fields)}') THEN "
        "TRY(map_concat(CAST(json_parse(flat) AS map(varchar, varchar)), "
        f"map_from_entries(transform(members, member -> {entry})))) END]) AS objects (fields) "
        # Of a repeated key, the map has one value.
        f"WHERE cardinality(fields) = regexp_count(flat, '{_KEY}') AND {_valid(family)}"
    )


def _flat_object(fields: Iterable[Field]) -> str:
    """Return the pattern of an object whose keys are among these fields, with values of their kinds."""
    names: dict[str, list[str]] = {}
    for field in fields:
        names.setdefault(_VALUES[field.kind], []).append(field.name)
    member = "|".join(f'"(?:{"|".join(keys)})":{value}' for value, keys in names.items())
    return rf"\A\{{(?:{member})(?:,(?:{member}))*+\}}\z"


def _longest(fields: Iterable[Field]) -> int:
    """Return how many characters an object with these fields has at most."""
    longest = {Kind.STRING: 2, Kind.OBJECT: 1}
    return 2 + sum(
        len(field.name) + 6 + (longest[field.kind] * field.maximum if field.kind in longest else 20) for field in fields
    )


def _valid(family: str) -> str:
    types: dict[tuple[Field, ...], list[str]] = {}
    for one in EVENT_TYPES.values():
        if one.family == family:
            types.setdefault(one.own_fields, []).append(one.name)
    by_type = []
    for own, names in types.items():
        allowed = {field.name for field in own}
        conditions = [*map(_allowed, own)]
        conditions += [f"{_value(field)} IS NULL" for field in FAMILIES[family] if field.name not in allowed]
        listed = ", ".join(f"'{name}'" for name in names)
        by_type.append(f"WHEN element_at(fields, 'event_type') IN ({listed}) THEN {' AND '.join(conditions) or 'true'}")
    common = [_allowed(field) for field in COMMON_FIELDS if field.name != "event_type"]
    return f"{' AND '.join(common)} AND CASE {' '.join(by_type)} ELSE false END"


def _allowed(field: Field) -> str:
    value = _value(field)
    if field.kind is Kind.BOOLEAN:
        return f"{value} IS NOT NULL" if field.required else "true"
    number = f"TRY_CAST({value} AS bigint)"
    if field.kind is Kind.STRING:
        number = f"length({value})"
    elif field.kind is Kind.OBJECT:
        number = f"length(to_utf8({value}))"
    within = f"{number} BETWEEN {field.minimum} AND {field.maximum}"
    if field.pattern:
        within += rf" AND regexp_like({value}, '\A{field.pattern}\z')"
    if field.kind is Kind.OBJECT:
        # Of a repeated key, the parsed object has one value.
        parsed = f"json_format(TRY(json_parse({value})))"
        within += f""" AND regexp_count({value}, '":') = regexp_count({parsed}, '":')"""
    if field.values is Kind.STRING:
        within += rf" AND regexp_like({value}, '\A\{{(?:{_TEXT}:{_TEXT}(?:,|(?=\}})))*+\}}\z')"
    return within if field.required else f"({value} IS NULL OR ({within}))"


def _value(field: Field) -> str:
    return f"element_at(fields, '{field.name}')"
