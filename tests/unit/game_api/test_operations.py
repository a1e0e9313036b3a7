"""Health, metrics and the OpenAPI document."""

import json

from game_api.log.event_log import Outcome, Receipt
from game_events import EVENT_TYPES, FIRST
from game_events.context import CONTEXT

from tests.unit.game_api.memory_log import MemoryLog, client_of


def test_ready_only_when_the_log_is():
    """Without Kafka the service is alive, so it is not restarted, but not ready, so it gets no requests."""
    unavailable = client_of(MemoryLog(Receipt(Outcome.REFUSED)), is_admin=True)
    assert unavailable.get("/healthz").status_code == 200
    assert unavailable.get("/readyz").status_code == 503
    assert client_of(MemoryLog(), is_admin=True).get("/readyz").status_code == 200


def test_unknown_paths_are_one_label():
    """Requests for unknown paths do not add labels to the metrics."""
    client = client_of(MemoryLog())
    for number in range(5):
        client.get(f"/nowhere/{number}")
    metrics = client_of(MemoryLog(), is_admin=True).get("/metrics").text
    assert 'game_api_requests_total{action="unknown",status="404"}' in metrics
    assert "nowhere" not in metrics


def test_the_description_covers_the_contract():
    """The OpenAPI document contains each action and each event type, and all its references resolve."""
    document = client_of(MemoryLog()).get("/openapi.json").json
    assert document["openapi"].startswith("3.")
    assert {event_type.request for event_type in EVENT_TYPES.values()} | {
        "/events",
        "/world",
        "/heroes/{name}",
        "/healthz",
        "/v1/events",
        "/v1/events/{event_id}",
        "/v1/flags",
        "/v1/me",
        "/v1/problems/{kind}",
        "/v1/schemas/{event_type}",
    } <= set(document["paths"])
    for event_type in EVENT_TYPES.values():
        methods = ["get", "post"] if event_type in FIRST else ["post"]
        assert sorted(document["paths"][event_type.request]) == methods
        for method in methods:
            responses = document["paths"][event_type.request][method]["responses"]
            assert {"200", "400", "401", "403", "408", "409", "413", "415", "429", "503"} <= set(responses)
        version_1 = document["paths"][f"/v1/actions/{event_type.name}"]["post"]
        [key] = [one for one in version_1["parameters"] if one["name"] == "Idempotency-Key"]
        assert key.get("required", False) != event_type.is_free
        assert set(responses) == set(version_1["responses"])
    assert {*EVENT_TYPES, "problem"} <= set(document["components"]["schemas"])
    sword = document["components"]["schemas"]["purchase_sword"]
    assert sword["properties"]["strength"] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 10,
        "description": "Strength of the purchased item",
    }
    assert set(sword["required"]) == {"event_type", "strength"}
    body = document["paths"]["/v1/actions/duel"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    context = {field.name for field in CONTEXT}
    assert set(body["properties"]) == {"target", *context}
    assert context < set(sword["properties"])
    for reference in _references(json.loads(json.dumps(document))):
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def _references(node: object) -> list[str]:
    if isinstance(node, list):
        return [reference for child in node for reference in _references(child)]
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [reference for child in node.values() for reference in _references(child)]
    return []
