"""What is sent, when, and what each response means."""

import time
from email.utils import formatdate

import pytest
from game_client.sender import MOST_BYTES

from tests.unit.game_client.conftest import Open
from tests.unit.game_client.service import Reply, Service, accept, lose, refuse


def test_an_event_has_an_id_a_number_and_the_devices_times(service: Service, opened: Open) -> None:
    """Events are numbered in their session, and carry context, device, creation time and sending time."""
    client = opened(context={"platform": "linux"}, clock=lambda: 1_700_000_000_000)
    ids = [client.record("default"), client.record("purchase_sword", strength=6, properties={"shop": {"floor": 2}})]
    assert client.flush()
    first, second = service.items
    assert [first["event_id"], second["event_id"]] == ids
    assert (first["sequence"], second["sequence"]) == (0, 1)
    assert first["session_id"] == second["session_id"]
    assert first["device_id"] == second["device_id"]
    assert first["occurred_at"] == first["sent_at"] == 1_700_000_000_000
    assert second["strength"] == 6
    assert second["properties"] == {"shop": {"floor": 2}}
    assert second["platform"] == "linux"
    assert service.received[0].path == "/v1/events"
    assert service.received[0].headers["X-Player"] == "knight1"


def test_batches_are_bounded_by_events_and_bytes(service: Service, opened: Open) -> None:
    """No request exceeds the client's batch size or 512 KB, and the order is kept."""
    client = opened(batch_events=40, batch_seconds=60)
    large = {"text": "x" * 20_000}
    for _ in range(70):
        client.record("default", properties=large)
    assert client.flush()
    assert [item["sequence"] for item in service.items] == list(range(70))
    assert all(len(request.items) <= 40 and request.bytes <= MOST_BYTES for request in service.received)


def test_a_full_batch_does_not_wait(service: Service, opened: Open) -> None:
    """A batch is sent when it is full, although its time has not come."""
    client = opened(batch_events=10, batch_seconds=60)
    for _ in range(10):
        client.record("default")
    deadline = time.monotonic() + 5
    while client.waiting:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("loss", [lose, refuse(502), refuse(503), refuse(408), refuse(429), refuse(404), refuse(301)])
def test_what_got_no_result_is_sent_again(service: Service, opened: Open, loss: object) -> None:
    """Events stay until each has a result, and keep their ids and numbers."""
    service.script = [loss, loss]  # type: ignore[list-item]
    client = opened()
    client.record("default")
    assert client.flush()
    assert len({item["event_id"] for item in service.items}) == 1
    assert len(service.items) == 3
    assert client.dropped == []


def test_each_event_has_its_own_result(service: Service, opened: Open) -> None:
    """A 200 is done, a 400 is dropped by name, a 503 is sent again whatever its outcome."""
    results = [
        {"status": 200},
        {"status": 400, "detail": "strength: expected 0 to 10"},
        {"status": 503, "outcome": "refused"},
        {"status": 503, "outcome": "unknown"},
    ]
    service.script = [lambda items: Reply(207, {"results": results})]
    client = opened(batch_events=4, batch_seconds=60)
    for _ in results:
        client.record("default")
    assert client.flush()
    assert [item["sequence"] for item in service.items] == [0, 1, 2, 3, 2, 3]
    [dropped] = client.dropped
    assert (dropped.first, dropped.last, dropped.reason) == (1, 1, "invalid")
    assert dropped.detail == "strength: expected 0 to 10"


@pytest.mark.parametrize("after", ["1", formatdate(time.time() + 600, usegmt=True)])
def test_retry_after_is_obeyed(service: Service, opened: Open, after: str) -> None:
    """No attempt comes before the time that the service asked for, not even by flush."""
    service.script = [refuse(429, {"Retry-After": after})]
    client = opened()
    client.record("default")
    began = time.monotonic()
    if after == "1":
        assert client.flush()
        assert time.monotonic() - began >= 1
    else:
        assert not client.flush(0.3)
        assert len(service.received) == 1


def test_an_attempt_after_another_waits_longer(service: Service, opened: Open) -> None:
    """The waits between attempts grow."""
    service.script = [refuse(500)] * 5
    client = opened(first_retry_seconds=0.05)
    began = time.monotonic()
    client.record("default")
    assert client.flush()
    assert time.monotonic() - began >= 0.5 * 0.05 * (1 + 2 + 4 + 8 + 16)


@pytest.mark.parametrize(
    ("refusal", "reason"), [(refuse(413), "too-large"), (refuse(400, field="body"), "invalid")], ids=["413", "400"]
)
def test_a_refused_batch_is_halved_until_the_culprit_is_found(
    service: Service, opened: Open, refusal: object, reason: str
) -> None:
    """One event that makes the whole request fail is dropped alone; all others arrive."""
    service.usual = lambda items: (
        refusal(items) if any(item["sequence"] == 5 for item in items) else accept(items)  # type: ignore[operator]
    )
    client = opened(batch_events=16, batch_seconds=60)
    for _ in range(16):
        client.record("default")
    assert client.flush()
    assert [(one.first, one.last, one.reason) for one in client.dropped] == [(5, 5, reason)]


@pytest.mark.parametrize("status", [401, 403])
def test_nothing_is_lost_for_want_of_a_token(service: Service, opened: Open, status: int) -> None:
    """Without a valid token everything stays, and is sent once there is a new one."""
    service.usual = refuse(status, field="Authorization")
    client = opened(token="old")  # noqa: S106
    client.record("default")
    assert not client.flush(0.2)
    assert len(service.received) == 1
    service.usual = accept
    client.authorize("new")
    assert client.flush()
    assert service.received[-1].headers["Authorization"] == "Bearer new"


def test_a_claimed_names_token_is_kept(service: Service, opened: Open) -> None:
    """A token that a response brings is used from then on, also by the next client of the queue."""
    service.script = [lambda items: Reply(*accept(items)[:2], {"Player-Token": "claimed"})]
    client = opened()
    client.record("default")
    client.close()
    client = opened()
    client.record("default")
    assert client.flush()
    assert "Authorization" not in service.received[0].headers
    assert service.received[-1].headers["Authorization"] == "Bearer claimed"
