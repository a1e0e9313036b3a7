"""Bulk requests: `POST /events`."""

import json

import pytest
from game_api.log.event_log import Outcome, Receipt
from game_events import decode
from werkzeug.test import TestResponse

from tests.unit.game_api.memory_log import HOST, MemoryLog, client_of

SWORD = {"event_type": "purchase_sword", "strength": 7, "description": "größtes Schwert"}
REFUSED = Receipt(Outcome.REFUSED, reason="the queue to Kafka is full")
UNKNOWN = Receipt(Outcome.UNKNOWN, reason="Kafka did not answer in time")


def post(log: MemoryLog, items: object, **headers: str) -> TestResponse:
    body = items if isinstance(items, bytes) else json.dumps(items).encode()
    return client_of(log).post("/events", data=body, headers={"Content-Type": "application/json", **headers})


def test_every_item_becomes_an_event():
    """A list of events is written in order, and each result has the partition and offset of its event."""
    log = MemoryLog()
    answer = post(log, [SWORD, {"event_type": "join_guild", "player": "knight2", "event_id": "e-2"}])
    assert answer.status_code == 200
    first, second = (decode(record.value) for record in log.records)
    assert answer.json["results"] == [
        {"status": 200, "event_id": first["event_id"], "partition": 0, "offset": 0},
        {"status": 200, "event_id": "e-2", "partition": 0, "offset": 1},
    ]
    assert SWORD.items() <= first.items()
    assert (first["player"], first["host"], "idempotent" in first) == (HOST, HOST, False)
    assert (second["player"], second["idempotent"]) == ("knight2", True)
    assert [record.key for record in log.records] == [HOST.encode(), b"knight2"]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"event_type": "purchase_a_star"}, "event_type"),
        ({"event_type": "explore", "gold": 1_000_000, "loot": "ruby"}, "event_type"),
        ({}, "event_type"),
        ({"event_type": "purchase_sword"}, "strength"),
        (SWORD | {"strength": 11}, "strength"),
        (SWORD | {"strength": True}, "strength"),
        (SWORD | {"strength": float("nan")}, "strength"),
        (SWORD | {"player": ""}, "player"),
        (SWORD | {"player": " "}, "player"),
        (SWORD | {"player": "a,b"}, "player"),
        (SWORD | {"player": "a\u200bb"}, "player"),
        (SWORD | {"player": "a\x9bb"}, "player"),
        (SWORD | {"player_name": "A"}, "player_name"),
        (SWORD | {"event_id": "e" * 129}, "event_id"),
        (SWORD | {"guild": "g"}, "guild"),
        (SWORD | {"description": None}, "description"),
        (SWORD | {"description": {"a": []}}, "description"),
        (SWORD | {"description": "a\nb"}, "description"),
        (SWORD | {"description": "\ud800"}, "description"),
        (SWORD | {"received_at": 1_800_000_000_000}, "received_at"),
        (SWORD | {"schema_version": 1}, "schema_version"),
        (SWORD | {"host": "h"}, "host"),
        (SWORD | {"idempotent": False}, "idempotent"),
        ("sword", "event"),
        (None, "event"),
    ],
)
def test_an_invalid_item_does_not_stop_the_others(item: object, field: str):
    """An invalid item gets a result that names the field, the valid one is written, and the status is 207."""
    log = MemoryLog()
    answer = post(log, [item, SWORD])
    assert answer.status_code == 207
    wrong, right = answer.json["results"]
    assert (wrong["status"], wrong["field"], right["status"]) == (400, field, 200)
    assert len(log.records) == 1


def test_names_are_normalised():
    """An event has the normal form of each name, and keeps the name as given beside it."""
    log = MemoryLog()
    items = [
        {"event_type": "join_guild", "player": "\uff2bnight", "guild": "The  Knights"},
        {"event_type": "declare_war", "target": "KNIGHT"},
    ]
    assert post(log, items, **{"X-Player": "Ko\u0308nig".encode().decode("latin-1")}).status_code == 200
    first, second = log.events
    assert (first["player"], first["player_name"]) == ("knight", "\uff2bnight")
    assert (first["guild"], first["guild_name"]) == ("the knights", "The  Knights")
    assert (second["player"], second["player_name"]) == ("könig", "Ko\u0308nig")
    assert (second["target"], second["target_name"]) == ("knight", "KNIGHT")
    assert [record.key.decode() for record in log.records] == ["knight", "könig"]


def test_no_valid_item_is_a_400():
    """If no item is valid, nothing is written, and each result names its field."""
    log = MemoryLog()
    answer = post(log, [{}, 3])
    assert answer.status_code == 400
    assert [result["field"] for result in answer.json["results"]] == ["event_type", "event"]
    assert not log.records


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "is not JSON"),
        (b"[{]", "is not JSON"),
        (b'[{"event_type":"default","event_type":"default"}]', "is not JSON: a key is repeated"),
        (b'[{"event_type":"default","event_type":"default"},"x"]', "is not JSON: a key is repeated"),
        (b'[{"event_type":"default","description":{"a":1,"a":2}}]', "is not JSON: a key is repeated"),
        (b"[" + b"9" * 5000 + b"]", "is not JSON"),
        (b"\xff[]", "is not UTF-8"),
        ("[]".encode("utf-16"), "is not UTF-8"),
        (b"{}", "expected a list of events"),
        (b"[]", "expected 1 to 1000 events, got 0"),
        (b"[" + b"{}," * 1000 + b"{}]", "expected 1 to 1000 events, got 1001"),
        (b"[" * 100_000, "is nested too deeply"),
    ],
)
def test_a_body_that_is_not_a_list_of_events_is_a_400(body: bytes, problem: str):
    """The error says what is wrong with the body."""
    answer = post(MemoryLog(), body, Accept="application/json")
    assert answer.status_code == 400
    assert answer.json["field"] == "body"
    assert problem in answer.json["error"]


@pytest.mark.parametrize(
    ("receipts", "status", "statuses", "outcome"),
    [
        ([REFUSED], 207, [503, 200], None),
        ([REFUSED, UNKNOWN], 503, [503, 503], "unknown"),
        ([REFUSED, REFUSED], 503, [503, 503], "refused"),
    ],
)
def test_each_event_has_its_own_outcome(receipts: list[Receipt], status: int, statuses: list[int], outcome: str | None):
    """The status is 503 only if Kafka acknowledged no event. Each result has the outcome of its event."""
    answer = post(MemoryLog(*receipts), [SWORD, SWORD])
    assert answer.status_code == status
    assert [result["status"] for result in answer.json["results"]] == statuses
    assert answer.json["results"][0]["outcome"] == "refused"
    assert answer.headers.get("Event-Outcome") == outcome
    assert answer.headers.get("Retry-After") == (outcome and "1")


def test_other_requests_are_refused():
    """Another content type is a 415, an Idempotency-Key a 400, a GET a 405, a body over 1 MiB a 413."""
    log = MemoryLog()
    assert post(log, [SWORD], **{"Content-Type": "text/csv"}).status_code == 415
    keyed = post(log, [SWORD], **{"Idempotency-Key": "k", "Accept": "application/json"})
    assert (keyed.status_code, keyed.json["field"]) == (400, "Idempotency-Key")
    assert client_of(log).get("/events").status_code == 405
    assert post(log, b" " * (1024 * 1024) + b"[]").status_code == 413
    assert not log.records
