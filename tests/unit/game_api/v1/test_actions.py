"""`POST /v1/actions/<event type>`."""

import gzip
from typing import Any

import pytest
from game_api.log.event_log import Outcome, Receipt
from game_events import EVENT_TYPES, FIRST, EventType, decode
from werkzeug.test import Client, TestResponse

from tests.unit.game_api.memory_log import HOST, MemoryLog, client_of
from tests.unit.game_api.v1.conftest import Start

KEY = {"Idempotency-Key": "k1"}


def act(client: Client, name: str, json: object = None, **options: Any) -> TestResponse:  # noqa: ANN401 what `post` takes
    """Request an action; without `json` the request has no body."""
    return client.post(f"/v1/actions/{name}", json=json, **options)


@pytest.mark.parametrize("action", FIRST, ids=lambda action: action.name)
def test_an_action_writes_what_its_old_path_writes(action: EventType):
    """Whatever Accept says, the response is JSON, with the event's type, player and own fields."""
    log, old = MemoryLog(), MemoryLog()
    answer = act(client_of(log), action.name, headers={"Accept": "text/plain"})
    client_of(old).post(action.request, headers={"Accept": "text/plain"})
    [event], [expected] = log.events, old.events
    assert {**event, "event_id": "", "received_at": 0} == {**expected, "event_id": "", "received_at": 0}
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json == {
        "event_type": action.name,
        "player": HOST,
        "answer": action.result.answer,
        "event_id": event["event_id"],
        "partition": 0,
        "offset": 0,
        "fields": {"strength": event["strength"]} if "strength" in event else {},
    }


def test_what_was_decided_is_in_the_response(game: Start, log: MemoryLog):
    """The response has the fields that the world gave the event, and the same key gets the same response again."""
    client = game()
    first = act(client, "purchase_bow", {}, headers=KEY)
    assert (first.status_code, first.json["player"]) == (200, HOST)
    assert first.json["fields"].items() <= decode(log.records[0].value).items()
    assert first.json["fields"]["gold"] == -15
    again = act(client, "purchase_bow", {}, headers=KEY)
    assert {**again.json, "offset": 0} == first.json


def test_the_context_is_beside_the_parameters(game: Start, log: MemoryLog):
    """An action's event has its context; a retry with another context is the same request."""
    client = game()
    context = {"sent_at": 1_795_465_202_000, "sequence": 7, "properties": {"a": [1.5, {"b": None}]}}
    first = act(client, "purchase_bow", context, headers=KEY)
    assert context.items() <= decode(log.records[0].value).items()
    assert not context.keys() & first.json["fields"].keys()
    again = act(client, "purchase_bow", {"sent_at": 1_795_465_209_000.0, "sequence": 7}, headers=KEY)
    assert (again.status_code, {**again.json, "offset": 0}) == (200, first.json)


@pytest.mark.parametrize(
    "context",
    [{"country": "de"}, {"properties": "{}"}, {"experiments": {"a": 1}}, {"occurred_at": "1"}, {"sequence": -1}],
)
def test_a_wrong_context_is_named(context: dict[str, Any]):
    """A context that the contract does not allow is a 400 that names the field."""
    answer = act(client_of(MemoryLog()), "default", context)
    assert (answer.status_code, answer.json["field"]) == (400, *context)


def test_parameters_are_members_of_the_body():
    """Parameters come in a JSON object, compressed or not."""
    log = MemoryLog()
    client = client_of(log)
    answer = act(client, "declare_war", {"target": "Knights"})
    assert answer.json["fields"] == {"target": "knights", "target_name": "Knights"}
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    body = gzip.compress(b'{"target": "Hunters"}')
    assert client.post("/v1/actions/declare_war", data=body, headers=packed).status_code == 200
    assert [event["target_name"] for event in log.events] == ["Knights", "Hunters"]


@pytest.mark.parametrize(
    ("path", "body", "media_type", "status", "field"),
    [
        ("join_guild?guild=Knights", b"", "", 400, "guild"),
        ("join_guild?guild=Knights", b'{"guild":"Knights"}', "application/json", 400, "guild"),
        ("join_guild", b'{"gild":"Knights"}', "application/json", 400, "gild"),
        ("join_guild", b'{"guild":1}', "application/json", 400, "guild"),
        ("join_guild", b'{"guild":"a","guild":"b"}', "application/json", 400, "body"),
        ("join_guild", b'["guild"]', "application/json", 400, "body"),
        ("join_guild", b"{", "application/json", 400, "body"),
        ("join_guild", b"guild=Knights", "application/x-www-form-urlencoded", 415, None),
        ("join_guild", b'{"guild":"Knights"}', "", 415, None),
        ("join_guild", b"", "text/plain", 415, None),
    ],
)
def test_an_invalid_request_writes_nothing(path: str, body: bytes, media_type: str, status: int, field: str | None):
    """Parameters in the query, unknown or invalid ones, and other media types are refused by name."""
    log = MemoryLog()
    answer = client_of(log).post(f"/v1/actions/{path}", data=body, headers={"Content-Type": media_type})
    assert (answer.status_code, answer.json.get("field")) == (status, field)
    assert answer.mimetype == "application/problem+json"
    assert not log.records


def test_a_context_is_part_of_the_event_and_not_of_the_request(game: Start, log: MemoryLog):
    """A body may have the event's context; another context under the same key is no other request."""
    client = game()
    context = {"occurred_at": 1_795_465_200_000, "sent_at": 1_795_465_201_000, "properties": {"deed": ["a", 1.5]}}
    first = act(client, "purchase_bow", context, headers=KEY)
    assert first.status_code == 200
    assert context.items() <= decode(log.records[0].value).items()
    assert context.keys().isdisjoint(first.json["fields"])
    again = act(client, "purchase_bow", context | {"sent_at": 1_795_465_209_000}, headers=KEY)
    assert {**again.json, "offset": 0} == first.json
    refused = act(client, "purchase_bow", {"properties": []}, headers={"Idempotency-Key": "k2"})
    assert (refused.status_code, refused.json["field"]) == (400, "properties")


def test_numbers_are_numbers(game: Start):
    """A number as text, which forms need, is refused; 5.0 is 5."""
    client = game()
    assert act(client, "throw_dice", {"amount": "5"}, headers=KEY).json["field"] == "amount"
    assert act(client, "throw_dice", {"amount": 5.0}, headers=KEY).status_code == 200


@pytest.mark.parametrize("action", EVENT_TYPES.values(), ids=lambda action: action.name)
def test_what_changes_the_world_needs_a_key(action: EventType, game: Start, log: MemoryLog):
    """Without an Idempotency-Key, an action that the rules decide is refused; an unconditional one is not."""
    given = {field.name: "x" for field in action.parameters if field.required} if action.is_free else {}
    answer = act(game(), action.name, given)
    assert ((answer.json or {}).get("type") == "/v1/problems/key-required") == (not action.is_free)
    assert answer.json.get("field") == (None if action.is_free else "Idempotency-Key")
    assert len(log.records) == action.is_free


def test_an_event_that_was_not_acknowledged_is_a_problem():
    """A 503 has its outcome, and the event's id for a retry."""
    for outcome, kind in ((Outcome.REFUSED, "not-written"), (Outcome.UNKNOWN, "outcome-unknown")):
        answer = act(client_of(MemoryLog(Receipt(outcome, reason="no"))), "default")
        assert (answer.status_code, answer.json["type"]) == (503, f"/v1/problems/{kind}")
        assert answer.json["outcome"] == answer.headers["Event-Outcome"] == outcome.value
        assert answer.json["event_id"]
