"""`GET /v1/schemas`: JSON Schemas of the events, as the service writes them."""

import pytest
from game_events import EVENT_TYPES, FREE
from game_events.json_schema import event_schema
from jsonschema import Draft202012Validator

from tests.unit.game_api.memory_log import MemoryLog, client_of
from tests.unit.game_api.v1.conftest import Start


def test_all_schemas_are_listed():
    """The list leads to the schema of each event type."""
    client = client_of(MemoryLog())
    listed = client.get("/v1/schemas").json["schemas"]
    assert [(one["event_type"], one["family"]) for one in listed] == [(e.name, e.family) for e in EVENT_TYPES.values()]
    for one in listed:
        answer = client.get(one["path"])
        assert (answer.status_code, answer.mimetype) == (200, "application/schema+json")
        assert answer.json == event_schema(EVENT_TYPES[one["event_type"]])


def test_written_events_match_their_schemas(game: Start, log: MemoryLog):
    """What the service writes, decided by the world or not, matches the schema that it serves."""
    client = game()
    for number, action in enumerate([*FREE, EVENT_TYPES["purchase_bow"], EVENT_TYPES["explore"]]):
        headers = {"Idempotency-Key": str(number), "X-Player": "Ada", "User-Agent": "Knight/1"}
        needed = {field.name: "x" for field in action.parameters if field.required}
        assert client.post(action.request, headers=headers, json=needed).status_code == 200, action.name
    assert len(log.events) == len(FREE) + 2
    for event in log.events:
        Draft202012Validator(client.get(f"/v1/schemas/{event['event_type']}").json).validate(event)


@pytest.mark.parametrize("path", ["/v1/schemas", "/v1/schemas/duel"])
@pytest.mark.parametrize("sent", ["{}", "W/{}", '"other", {}', "*"])
def test_a_client_that_has_a_schema_gets_no_body(path: str, sent: str):
    """A schema may be cached, and its ETag says whether it has changed."""
    client = client_of(MemoryLog())
    first = client.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": sent.format(first.headers["ETag"])})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert client.get(path, headers={"If-None-Match": '"other"'}).data == first.data
