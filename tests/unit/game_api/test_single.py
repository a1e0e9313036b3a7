"""Requests for a single action."""

from time import time

import pytest
from game_api.log.event_log import Outcome, Receipt
from game_api.metrics import ACK_SECONDS
from game_events import FIRST, EventType, decode
from game_events.event_ids import is_service_made, uuid7s

from tests.unit.game_api.memory_log import HOST, MemoryLog, client_of


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("action", FIRST, ids=lambda action: action.name)
def test_an_action_answers_and_writes_its_event(action: EventType, method: str):
    """Each action returns its answer and appends one valid event, keyed by the player."""
    log = MemoryLog()
    answer = client_of(log).open(action.request, method=method, headers={"User-Agent": "curl/8.14.1"})
    assert (answer.status_code, answer.text) == (200, action.result.answer)
    assert answer.mimetype == "text/plain"
    [record] = log.records
    event = decode(record.value)
    assert record.key == HOST.encode()
    assert event["event_type"] == action.name
    assert event.get("description", "") == action.description
    assert {"host": HOST, "player": HOST, "user_agent": "curl/8.14.1"}.items() <= event.items()
    assert ("strength" in event) == action.name.startswith("purchase_")


def test_without_a_world_only_unconditional_actions_work():
    """Without a world, a conditional action is a 503 and writes nothing."""
    log = MemoryLog()
    answer = client_of(log).post("/explore", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.headers["Event-Outcome"]) == (503, "refused")
    assert "no world" in answer.json["error"]
    assert not log.records


def test_json_has_the_events_position():
    """A client that accepts JSON gets the event's id, partition and offset."""
    log = MemoryLog()
    answer = client_of(log).get("/", headers={"Accept": "application/json"})
    assert answer.json == {
        "answer": "This is the default response!",
        "event_id": log.events[0]["event_id"],
        "partition": 0,
        "offset": 0,
    }


@pytest.mark.parametrize(
    "accept", ["*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json;q=0, */*", ""]
)
def test_text_is_the_default(accept: str):
    """A client that does not prefer JSON gets text."""
    assert client_of(MemoryLog()).get("/", headers={"Accept": accept}).text == "This is the default response!"


def test_parameters_become_fields():
    """An action's fields are query parameters, in any script."""
    log = MemoryLog()
    client_of(log).get("/join_a_guild", query_string={"guild": "Ritter vom Seeufer 🛡"})
    client_of(log).post("/declare_a_war", query_string={"target": "knight3.yahoo.com"})
    assert (log.events[0]["guild"], log.events[0]["guild_name"]) == ("ritter vom seeufer 🛡", "Ritter vom Seeufer 🛡")
    assert log.events[1]["target"] == "knight3.yahoo.com"
    assert "target_name" not in log.events[1]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/?guild=x", "guild"),
        ("/purchase_a_sword?strength=10", "strength"),
        ("/join_a_guild?gilde=x", "gilde"),
        ("/join_a_guild?guild=x&guild=y", "guild"),
        ("/join_a_guild?guild=", "guild"),
        ("/join_a_guild?guild=" + "x" * 65, "guild"),
        ("/declare_a_war?target=a%00b", "target"),
        ("/join_a_guild?player=x", "player"),
        ("/join_a_guild?guild=a%E2%80%8Bb", "guild"),
        ("/join_a_guild?guild=%20", "guild"),
        ("/declare_a_war?target=%E2%80%AEb", "target"),
        ("/declare_a_war?target=a,b", "target"),
        ("/join_a_guild?guild=g&guild_name=G", "guild_name"),
        ("/duel", "target"),
        ("/donate_gold?amount=ten", "amount"),
        ("/donate_gold?amount=-5", "amount"),
        ("/donate_gold?amount=0", "amount"),
        ("/donate_gold?amount=" + "9" * 5000, "amount"),
        ("/donate_gold?amount=5&guild=x", "guild"),
        ("/explore?gold=1000", "gold"),
    ],
)
def test_an_invalid_parameter_is_named(path: str, field: str):
    """An unknown parameter, or a value that the contract does not allow, is a 400 that names it."""
    log = MemoryLog()
    answer = client_of(log).post(path, headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.json["field"] == field
    assert answer.json["error"].startswith(f"{field}: ")
    assert not log.records


@pytest.mark.parametrize(
    "path", ["/nowhere", "/nowhere/purchase_a_sword/", "/nowhere//purchase_a_sword", "/purchase_a_Sword", "/events/1"]
)
def test_an_unknown_request_writes_nothing(path: str):
    """An unknown path is a 404 and writes no event."""
    log = MemoryLog()
    assert client_of(log).get(path).status_code == 404
    assert not log.records


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH"])
def test_other_methods_write_nothing(method: str):
    """Methods other than GET and POST are a 405 that names these two, and have no effect."""
    log = MemoryLog()
    answer = client_of(log).open("/purchase_a_sword", method=method)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST", "OPTIONS"}
    assert not log.records


def test_an_idempotency_key_becomes_the_event_id():
    """The client's key becomes the event's id, and the event is marked idempotent."""
    log = MemoryLog()
    client_of(log).post("/", headers={"Idempotency-Key": "order 17/é".encode().decode("latin-1")})
    client_of(log).post("/")
    assert (log.events[0]["event_id"], log.events[0]["idempotent"]) == ("order 17/é", True)
    assert "idempotent" not in log.events[1]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNKNOWN])
def test_an_event_that_is_not_acknowledged_is_a_503(outcome: Outcome):
    """Without an acknowledgement, the response has the event's outcome and says when to retry."""
    log = MemoryLog(*[Receipt(outcome, reason="Kafka is unavailable")] * 2)
    client = client_of(log)
    answer = client.get("/", headers={"Accept": "application/json"})
    assert answer.status_code == 503
    assert answer.json["outcome"] == outcome
    assert is_service_made(answer.json["event_id"])
    assert (answer.headers["Retry-After"], answer.headers["Event-Outcome"]) == ("1", outcome)
    assert "Kafka is unavailable" in client.get("/").text


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNKNOWN])
def test_under_a_key_an_earlier_attempt_may_be_written(outcome: Outcome):
    """Without a store that knows earlier attempts, a refused event with a client's key is unknown, in bulk as well."""
    client = client_of(MemoryLog(*[Receipt(outcome, reason="Kafka is unavailable")] * 2))
    answer = client.get("/", headers={"Accept": "application/json", "Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json["outcome"], answer.json["event_id"]) == (503, "unknown", "k1")
    assert "retry with the same Idempotency-Key" in answer.json["error"]
    bulk = client.post("/events", json=[{"event_type": "default", "event_id": "k1"}])
    [result] = bulk.json["results"]
    assert (result["status"], result["outcome"]) == (503, "unknown")
    assert "retry it with the same event_id" in result["error"]


def test_an_event_without_a_key_is_retried_under_its_id():
    """An event without a key can be retried under its id for ten minutes."""
    log = MemoryLog(*[Receipt(Outcome.UNKNOWN, reason="Kafka did not answer in time")] * 2)
    client = client_of(log)
    answer = client.get("/", headers={"Accept": "application/json"})
    event_id = answer.json["event_id"]
    assert f"retry with Idempotency-Key: {event_id} within 10 minutes" in answer.json["error"]
    [result] = client.post("/events", json=[{"event_type": "default"}]).json["results"]
    assert "retry it with this event_id within 10 minutes" in result["error"]
    assert client.get("/", headers={"Idempotency-Key": event_id}).status_code == 200
    assert client.post("/events", json=[{"event_type": "default", "event_id": result["event_id"]}]).status_code == 200
    assert [event["idempotent"] for event in log.events] == [True, True]
    [old] = uuid7s(int(time() * 1000) - 601_000, 1)
    late = client.get("/", headers={"Idempotency-Key": old, "Accept": "application/json"})
    assert (late.status_code, late.json["field"]) == (400, "Idempotency-Key")
    bulk = client.post("/events", json=[{"event_type": "default", "event_id": old}])
    assert (bulk.status_code, bulk.json["results"][0]["field"]) == (400, "event_id")
    assert "10 minutes" in late.json["error"]


def test_a_body_over_the_limit_is_a_413():
    """A body that is too large is refused before it is read, for any request."""
    log = MemoryLog()
    assert client_of(log).post("/", data=b"x" * (1024 * 1024 + 1)).status_code == 413
    assert not log.records


def test_after_the_append_the_receipt_decides(monkeypatch: pytest.MonkeyPatch):
    """A written event is answered with 200 even if counting it fails."""

    def failing(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(ACK_SECONDS, "observe", failing)
    log = MemoryLog()
    client = client_of(log)
    assert client.get("/").status_code == 200
    assert client.post("/events", json=[{"event_type": "default"}]).status_code == 200
    assert len(log.records) == 2
