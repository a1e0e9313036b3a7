"""The paths below /micro: what was accepted, what was refused, failures to order, and a new beginning."""

from typing import Any

import pytest
from game_api.micro import memory_log
from game_api.micro.micro import Micro
from game_api.settings import Settings
from werkzeug.test import Client

from tests.unit.game_api.client import client_for

ADA = {"X-Player": "Ada"}
AXE = "/v1/actions/purchase_axe"


@pytest.fixture
def client() -> Client:
    return client_for(Micro(Settings(cors_origins="https://app.example")))


def good(client: Client, query: str = "") -> Any:  # noqa: ANN401 JSON
    return client.get(f"/micro/good?{query}").json


def bad(client: Client) -> Any:  # noqa: ANN401 JSON
    return client.get("/micro/bad").json["refused"]


def buy(client: Client, key: str) -> Any:  # noqa: ANN401 a response
    return client.post(AXE, headers={**ADA, "Idempotency-Key": key})


def test_accepted_events_are_shown_as_kafka_would_have_them(client: Client) -> None:
    """They have all fields, newest last, and can be chosen by type and player."""
    client.post("/events", json=[{"event_type": "default"}, {"event_type": "purchase_sword", "strength": 4}])
    buy(client, "1")
    shown = good(client)
    assert (shown["count"], shown["records"], shown["dropped"]) == (3, 3, 0)
    assert [event["event_type"] for event in shown["events"]] == ["default", "purchase_sword", "purchase_axe"]
    assert shown["events"][1].items() >= {"player": "localhost", "strength": 4, "schema_version": 1}.items()
    assert [event["event_id"] for event in good(client, "player=ADA")["events"]] == ["1"]
    assert good(client, "event_type=default&player=localhost")["count"] == 1


def test_an_event_that_was_sent_again_is_shown_once(client: Client) -> None:
    """As in the views, two records under one key are one event."""
    assert buy(client, "1").json["fields"] == buy(client, "1").json["fields"]
    shown = good(client)
    assert (shown["count"], shown["records"]) == (1, 2)


@pytest.mark.parametrize("query", ["plaer=ada", "event_type=no", "player=", "player=a&player=a"])
def test_a_wrong_filter_is_an_error(client: Client, query: str) -> None:
    """A filter that cannot match anything is a 400 that names it."""
    response = client.get(f"/micro/good?{query}", headers={"Accept": "application/json"})
    assert (response.status_code, response.json["field"]) == (400, query.partition("=")[0])


def test_refused_requests_and_events_are_shown(client: Client) -> None:
    """Each has its error, its field, and the body or the event as it was sent."""
    client.post("/duel?target=nobody", headers={**ADA, "Idempotency-Key": "1"})
    client.get("/join_a_guild?guld=owls")
    client.post("/v1/events", json=[{"event_type": "default"}, {"event_type": "purchase_axe", "strength": "much"}])
    client.post("/events", data=b"{" * 9000, content_type="application/json")
    duel, guild, event, body = bad(client)
    assert (duel["status"], duel["field"], duel["error"]) == (409, "target", "Nobody has heard of nobody")
    assert (guild["status"], guild["method"], guild["path"], guild["field"]) == (400, "GET", "/join_a_guild", "guld")
    assert (event["status"], event["index"], event["field"]) == (400, 1, "strength")
    assert event["body"] == '{"event_type":"purchase_axe","strength":"much"}'
    assert (body["field"], len(body["body"])) == ("body", 2048)


@pytest.mark.parametrize("item", ["NaN", "1e999", '{"player":"\\ud800"}', "9" * 400, "[[]]"])
def test_whatever_is_refused_can_be_shown(client: Client, item: str) -> None:
    """An event that is no usual JSON is refused and shown as any other."""
    response = client.post("/events", data=f"[{item}]", content_type="application/json")
    assert response.status_code == 400
    assert [refused["status"] for refused in bad(client)] == [400]


def test_a_lost_acknowledgement_is_retried(client: Client) -> None:
    """The event is written although the response is a 503; the retry is the same event."""
    client.post("/micro/fail", json={"status": 503, "outcome": "unknown", "written": True, "times": 2})
    first, second = buy(client, "1"), buy(client, "1")
    assert [first.headers["Event-Outcome"], second.headers["Event-Outcome"]] == ["unknown", "unknown"]
    assert buy(client, "1").status_code == 200
    assert (good(client)["count"], good(client)["records"]) == (1, 3)
    assert [refused["outcome"] for refused in bad(client)] == ["unknown", "unknown"]


def test_a_refused_event_did_not_happen(client: Client) -> None:
    """The world is as before, and there is no event."""
    client.post("/micro/fail", json={"status": 503})
    refused = buy(client, "1")
    assert (refused.status_code, refused.json["outcome"], refused.headers["Retry-After"]) == (503, "refused", "1")
    assert good(client)["records"] == 0
    assert client.get("/heroes/ada").json["items"] == {}


def test_a_part_of_a_bulk_request_fails(client: Client) -> None:
    """The first events get a 503, the others are written."""
    client.post("/micro/fail", json={"status": 503, "outcome": "unknown", "items": 1})
    response = client.post("/events", json=[{"event_type": "default"}] * 3)
    assert response.status_code == 207
    assert [result["status"] for result in response.json["results"]] == [503, 200, 200]
    assert good(client)["count"] == 2


def test_a_limit_is_exceeded(client: Client) -> None:
    """The next requests get a 429 with this time, and then no more do."""
    assert client.post("/micro/fail", json={"status": 429, "retry_after": 7, "times": 2}).json == {"failing": 2}
    assert [buy(client, "1").headers.get("Retry-After") for _ in range(3)] == ["7", "7", None]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": 500}, "status"),
        ({"times": 1}, "status"),
        ({"status": 503, "times": 0}, "times"),
        ({"status": 503, "times": 20_000}, "times"),
        ({"status": 503, "outcome": "acked"}, "outcome"),
        ({"status": 503, "outcome": ["unknown"]}, "outcome"),
        ({"status": 503, "written": True}, "written"),
        ({"status": 503, "written": 1}, "written"),
        ({"status": 503, "retry_after": 1}, "retry_after"),
        ({"status": 429, "outcome": "unknown"}, "outcome"),
        ({"status": 503, "time": 1}, "time"),
        ([], "body"),
    ],
)
def test_a_wrong_fault_is_an_error(client: Client, body: Any, field: str) -> None:  # noqa: ANN401 JSON
    """It names the member, and nothing will fail."""
    response = client.post("/micro/fail", json=body, headers={"Accept": "application/json"})
    assert (response.status_code, response.json["field"]) == (400, field)
    assert buy(client, "1").status_code == 200


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_reset_begins_anew(client: Client, method: str) -> None:
    """There are no events, no refusals, no faults, no used keys and no players; offsets begin at 0."""
    buy(client, "1")
    client.get("/nothing")
    client.post("/micro/fail", json={"status": 503, "times": 9})
    assert client.open("/micro/reset", method=method).status_code == 200
    assert (good(client)["records"], bad(client)) == (0, [])
    assert client.get("/heroes/ada").json["known"] is False
    assert buy(client, "1").json["offset"] == 0


def test_memory_is_bounded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest records give way, and the number of those is shown."""
    monkeypatch.setattr(memory_log, "MOST", 10)
    client = client_for(Micro(Settings()))
    client.post("/events", json=[{"event_type": "default"}] * 25)
    shown = good(client)
    assert (shown["count"], shown["records"], shown["dropped"]) == (10, 25, 15)


def test_pages_of_other_origins_may_use_it(client: Client) -> None:
    """What is allowed for the API is allowed for these paths, too; their methods are checked."""
    response = client.get("/micro/good", headers={"Origin": "https://app.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
    refused = client.delete("/micro/good")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert "/micro/good" in client.get("/micro/nothing").text
