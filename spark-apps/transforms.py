"""Records of the topic become rows of `events`: the contract's rules as column expressions."""

from game_events import COMMON_FIELDS, EVENT_TYPES, REJECTED, Field, Kind, codec
from game_events.table import COLUMNS
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

# What schema_of_variant calls the JSON values that a kind allows. A plain cast lets "5" pass for 5 and turns "x" into NULL.
_JSON_TYPES = {Kind.BOOLEAN: "BOOLEAN", Kind.INTEGER: "BIGINT", Kind.TIMESTAMP: "BIGINT", Kind.STRING: "STRING"}

_END = "a3f1c7e2-end-of-record"

_CONTROL_CHARACTERS = r"[\x00-\x1f\x7f]"


def to_events(records: DataFrame) -> DataFrame:
    """Turn records into rows, one for one.

    `records` is what Spark's Kafka source gives (key, value: binary; partition, offset, timestamp); the answer has the
    columns of `events`. A record that is no valid event becomes a row of family `rejected`, with the reason.
    """
    checked = (
        records.withColumn("keys", _keys())
        .withColumn("event_type", _value("event_type", "STRING"))
        .withColumn("error", _error())
    )
    return checked.select(*(_column(field).cast(field.kind.sql_type).alias(field.name) for field in COLUMNS))


def _keys() -> Column:
    """Return the record's keys, each with its value as a variant; NULL if it is no JSON object."""
    text = F.col("value").cast("string")
    # Spark's parser ignores what follows the first value. Before an end mark, only a whole record parses to that mark.
    marked = F.try_parse_json(F.when(F.is_valid_utf8(text), F.concat(F.lit("["), text, F.lit(f',"{_END}"]'))))
    is_whole = F.try_variant_get(marked, "$[1]", "string") == _END
    return F.when(is_whole, F.try_variant_get(marked, "$[0]", "map<string,variant>"))


def _value(name: str, sql_type: str) -> Column:
    return F.try_variant_get(F.col("keys")[name], "$", sql_type)


def _column(field: Field) -> Column:
    accepted = F.col("error").isNull()
    match field.name:
        case "family":
            families = {name: F.lit(event_type.family) for name, event_type in EVENT_TYPES.items()}
            return F.when(accepted, _by_event_type(families)).otherwise(REJECTED)
        case "received_at":
            milliseconds = F.timestamp_millis(_value(field.name, "BIGINT"))
            return F.when(accepted, milliseconds).otherwise(F.col("timestamp"))
        case "kafka_partition" | "kafka_offset" | "kafka_timestamp":
            return F.col(field.name.removeprefix("kafka_"))
        case "raw_key" | "raw_value":
            return F.when(~accepted, F.col(field.name.removeprefix("raw_")))
        case "error":
            return F.col("error")
        case "event_type":
            return F.when(accepted, F.col("event_type"))
    return F.when(accepted, _value(field.name, field.kind.sql_type))


def _error() -> Column:
    """Return what is wrong with a record, in the words of game_events.validate; NULL if nothing is."""
    is_event = F.col("event_type").isin(*EVENT_TYPES)
    of_own_fields = {
        name: F.coalesce(*(_field_error(field) for field in event_type.fields))
        for name, event_type in EVENT_TYPES.items()
        if event_type.fields
    }
    return F.coalesce(
        F.when(F.col("value").isNull(), _message(codec.RECORD, codec.NO_VALUE)),
        F.when(~F.is_valid_utf8(F.col("value").cast("string")), _message(codec.RECORD, codec.NOT_UTF8)),
        F.when(F.col("keys").isNull(), _message(codec.RECORD, codec.NOT_AN_OBJECT)),
        F.when(~F.map_contains_key("keys", "event_type"), _message("event_type", codec.MISSING_FIELD)),
        F.when(
            (_json_type("event_type") != "STRING") | ~F.coalesce(is_event, F.lit(False)),
            _message("event_type", codec.UNKNOWN_TYPE),
        ),
        *(_field_error(field) for field in COMMON_FIELDS),
        _by_event_type(of_own_fields),
        _unknown_field_error(),
    )


def _field_error(field: Field) -> Column:
    """Return what is wrong with one field; NULL if nothing is."""
    wrong = (_json_type(field.name) != _JSON_TYPES[field.kind]) | ~_in_bounds(field)
    present = F.map_contains_key("keys", field.name)
    error = F.when(present & wrong, _message(field.name, f"expected {field.expectation}"))
    return error.when(~present, _message(field.name, codec.MISSING_FIELD)) if field.required else error


def _json_type(name: str) -> Column:
    return F.schema_of_variant(F.col("keys")[name])


def _in_bounds(field: Field) -> Column:
    if field.kind is Kind.BOOLEAN:
        return F.lit(True)
    if field.kind is Kind.STRING:
        text = _value(field.name, "STRING")
        return F.length(text).between(field.minimum, field.maximum) & ~text.rlike(_CONTROL_CHARACTERS)
    return F.coalesce(_value(field.name, "BIGINT").between(field.minimum, field.maximum), F.lit(False))


def _unknown_field_error() -> Column:
    known = {
        name: F.array(*(F.lit(field) for field in fields)) for name, fields in codec.FIELDS_OF_TYPE.items()
    }
    unknown = F.array_except(F.map_keys("keys"), _by_event_type(known))
    return F.when(F.size(unknown) > 0, F.concat(F.get(unknown, F.lit(0)), F.lit(f": {codec.UNKNOWN_FIELD}")))


def _by_event_type(answers: dict[str, Column]) -> Column:
    """Return the answer for the row's event type; NULL where there is none."""
    (first, answer), *others = answers.items()
    chosen = F.when(F.col("event_type") == first, answer)
    for name, answer in others:
        chosen = chosen.when(F.col("event_type") == name, answer)
    return chosen


def _message(field: str, problem: str) -> Column:
    return F.lit(f"{field}: {problem}")
