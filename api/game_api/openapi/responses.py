"""The responses that several paths share, and their media types."""

from game_events import EventType

from game_api.log.event_log import Outcome
from game_api.openapi.schemas import INTEGER, STRING, Json

OBJECT: Json = {"type": "object"}
JSON = "application/json"

DESCRIPTIONS = {
    "400": "No event: a field is invalid",
    "401": "No event: a credential is missing, or not accepted",
    "403": "No event: the caller may not do this, or the request is a prefetch or a link preview",
    "404": "Unknown path",
    "405": "Method not allowed",
    "408": "The client sent its request too slowly",
    "409": "No event: the rules of the game forbid it, or the key was already used for another request",
    "413": "No event: the body is too large, as sent or decompressed",
    "414": "Path and query are too long",
    "415": "No event: the body's type or encoding is not supported",
    "417": "Expectation other than 100-continue",
    "429": "No event: too many requests from this player or address",
    "431": "The headers are too long",
    "500": "The request failed",
    "501": "Transfer coding other than chunked",
    "503": "Kafka or the world is unavailable, or Kafka did not acknowledge the event in time",
    "505": "HTTP version other than 1.0 and 1.1",
}
"""What a response with an error means, by its status."""
OF_ANY_REQUEST = ("400", "405", "408", "413", "414", "417", "431", "500", "501", "505")

OUTCOME: Json = {
    "enum": [Outcome.REFUSED.value, Outcome.UNKNOWN.value],
    "description": (
        "`refused`: not written. `unknown`: may have been written, or may still be. Retry with the same key or, "
        "without one, with the event_id as the key within 10 minutes."
    ),
}


HEADERS: Json = {
    "401": {"WWW-Authenticate": {"schema": STRING}},
    "415": {"Accept-Encoding": {"schema": STRING}},
    "429": {"Retry-After": {"schema": INTEGER}},
}
"""The headers of errors by their status."""


def shared_responses() -> Json:
    """Return the responses that paths refer to by `errors`, by status code."""
    responses = {
        code: {"description": text, "content": text_or_json(STRING, error_schema())}
        | ({"headers": HEADERS[code]} if code in HEADERS else {})
        for code, text in DESCRIPTIONS.items()
    }
    responses["503"]["content"] = text_or_json(STRING, error_schema(event_id=STRING, outcome=OUTCOME))
    return responses


def error_schema(**properties: Json) -> Json:
    return {"type": "object", "required": ["error"], "properties": {"error": STRING, "field": STRING, **properties}}


def answer_schema(event_type: EventType) -> Json:
    """Return the schema of an answer to the player."""
    answers = [result.answer for result in event_type.results]
    if len(answers) == 1 and "{" not in answers[0]:
        return {"const": answers[0]}
    return {"type": "string", "description": " Or: ".join(answers)}


def status_schema(status: str) -> Json:
    return {"type": "object", "required": ["status"], "properties": {"status": {"const": status}}}


def errors(*codes: str) -> Json:
    """Return the responses with these codes and those that any request may get."""
    return {code: reference("responses", code) for code in sorted({*codes, *OF_ANY_REQUEST})}


def without_bodies(responses: Json) -> Json:
    return {code: {"description": f"As GET's {code}, without its body"} for code in responses}


def text_or_json(text: Json, body: Json) -> Json:
    """Return the content of a response that is text, or JSON for a client that accepts it."""
    return {"text/plain": {"schema": text}, JSON: {"schema": body}}


def content_of(media_type: str, schema: Json) -> Json:
    return {media_type: {"schema": schema}}


def response(description: str, media_type: str, schema: Json) -> Json:
    return {"description": description, "content": content_of(media_type, schema)}


def reference(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}
