"""`POST /v1/events`."""

from typing import Any

from game_api.log.event_log import Outcome, Receipt
from werkzeug.test import TestResponse

from tests.unit.game_api.memory_log import MemoryLog, client_of

SWORD = {"event_type": "purchase_sword", "strength": 7}
UNKNOWN = Receipt(Outcome.UNKNOWN, reason="Kafka did not answer in time")


def post(log: MemoryLog, *items: dict[str, Any]) -> TestResponse:
    return client_of(log).post("/v1/events", json=items)


def test_events_are_written_as_by_the_old_path():
    """Acknowledged events have the results of `POST /events`."""
    log = MemoryLog()
    answer = post(log, SWORD, {**SWORD, "event_id": "e-1"})
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json["results"] == [
        {"status": 200, "event_id": event["event_id"], "partition": 0, "offset": offset}
        for offset, event in enumerate(log.events)
    ]


def test_each_failed_event_has_a_problem():
    """In a partial success, an invalid event and a lost one have a problem details object each."""
    invalid, lost, acked = post(
        MemoryLog(UNKNOWN), {**SWORD, "strength": 11}, {**SWORD, "event_id": "e-1"}, SWORD
    ).json["results"]
    assert (invalid["type"], invalid["status"], invalid["field"]) == ("/v1/problems/invalid-event", 400, "strength")
    assert (lost["type"], lost["status"], lost["outcome"]) == ("/v1/problems/outcome-unknown", 503, "unknown")
    assert lost["event_id"] == "e-1"
    assert acked["status"] == 200


def test_without_any_success_the_response_is_a_problem():
    """It has the results of the events as a member."""
    answer = post(MemoryLog(), {"event_type": "explore"})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.json["type"] == "/v1/problems/no-valid-event"
    assert answer.json["results"][0]["field"] == "event_type"
    answer = post(MemoryLog(UNKNOWN), SWORD)
    assert (answer.status_code, answer.json["type"]) == (503, "/v1/problems/no-event-acknowledged")
    assert (answer.headers["Event-Outcome"], answer.headers["Retry-After"]) == ("unknown", "1")
