"""The metrics tell why requests were refused, and what happens to the calls to the world's store."""

import pytest
from game_api import create_app
from game_api.errors import BusyError
from game_api.identity.errors import KeysUnavailableError
from game_api.log.event_log import Outcome, Receipt
from game_api.metrics import StoreWatcher, count_refusal, exposition
from game_world.limits import Limit
from game_world.refusals import Reason
from game_world.store import Store
from game_world.world import LimitedError, RefusedError, World, WorldUnavailableError
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog

REFUSALS = "game_api_refusals_total"


def value(metric: str, **labels: str) -> float:
    """A sample of this process's metrics; 0 if there is none."""
    families = text_string_to_metric_families(exposition().decode())
    samples = [one for family in families for one in family.samples if one.name == metric and one.labels == labels]
    return sum(one.value for one in samples)


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (RefusedError(Reason.POOR, "gold", "You need 15 gold"), "409", "not-enough-gold"),
        (RefusedError(Reason.KEY_REUSED, "Idempotency-Key", "was used"), "409", "key-reused"),
        (LimitedError("player", 1), "429", "player"),
        (LimitedError("key", 1), "429", "key"),
        (WorldUnavailableError("gone"), "503", "world"),
        (KeysUnavailableError(), "503", "keys"),
        (BusyError("busy"), "503", "busy"),
    ],
)
def test_a_refusal_is_counted_by_its_reason(error: Exception, status: str, reason: str) -> None:
    """The reason is what the rules or the limits name, never text of a player."""
    before = value(REFUSALS, status=status, reason=reason)
    count_refusal(error)
    assert value(REFUSALS, status=status, reason=reason) == before + 1


def test_failures_of_the_store_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both the refused request and the call that failed are counted."""
    monkeypatch.setattr("game_world.world._PAUSE", 3600)
    world = World(Store("redis://127.0.0.1:1"), Limit(0, 0), Limit(0, 0), StoreWatcher())
    client = client_for(create_app(MemoryLog(), world))
    refused = value(REFUSALS, status="503", reason="world")
    failed = value("game_api_store_failures_total")
    assert [client.post("/explore").status_code for _ in range(3)] == [503] * 3
    assert value(REFUSALS, status="503", reason="world") == refused + 3
    # The store is asked again only after a while.
    assert value("game_api_store_failures_total") == failed + 1


def test_unconfirmed_events_that_wait_for_the_store_are_shown() -> None:
    """What the store cannot note waits in the process, and the metrics say how much."""
    world = World(Store("redis://127.0.0.1:1"), Limit(0, 0), Limit(0, 0), StoreWatcher())
    log = MemoryLog(*[Receipt(Outcome.UNKNOWN)] * 2)
    client = client_for(create_app(log, world))
    assert [client.post("/purchase_a_sword").status_code for _ in range(3)] == [503, 503, 200]
    assert value("game_api_unconfirmed_events") == 2


def test_a_limit_on_invalid_requests_is_counted() -> None:
    """A 429 in the place of another error counts too."""
    world = World(Store("redis://127.0.0.1:1"), Limit(0, 0), Limit(0.001, 1))
    client = client_for(create_app(MemoryLog(), world))
    before = value(REFUSALS, status="429", reason="address")
    assert [client.get("/nowhere").status_code for _ in range(3)] == [404, 429, 429]
    assert value(REFUSALS, status="429", reason="address") == before + 2
