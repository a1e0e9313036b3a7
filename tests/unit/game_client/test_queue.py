"""What is on disk: restarts, doubt, limits, consent, other processes."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import game_client
import pytest
from game_client import Client, ClientError, InvalidEventError, OtherPlayerError, QueueInUseError
from testbed.waiting import wait_until

from tests.unit.game_client.conftest import Open
from tests.unit.game_client.service import Reply, Service, accept, lose, refuse

HOUR = 3600 * 1000


class Clock:
    """A device's clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


KILLED = """
import os, sys
from game_client import Client
client = Client(*sys.argv[1:], player="knight1", batch_seconds=60)
client.consent(True)
for _ in range(50):
    client.record("default")
os.kill(os.getpid(), 9)
"""


def _python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(game_client.__file__).parents[1])}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=60)


def test_recorded_events_survive_kill_9(service: Service, path: Path, opened: Open) -> None:
    """What `record` returned is delivered by the next client, although the process died at once."""
    assert _python(KILLED, service.url, str(path)).returncode == -9
    client = opened()
    client.record("default")
    assert client.flush()
    assert [item["sequence"] for item in service.items] == [*range(50), 0]
    assert len({item["session_id"] for item in service.items}) == 2
    assert len({item["device_id"] for item in service.items}) == 1


@pytest.mark.parametrize(
    ("answer", "hours", "arrives"),
    [
        (lose, 22, True),
        (lose, 24, False),
        (lose, -24, False),
        (refuse(502), 24, False),
        (refuse(429), 24 * 60, True),
        (refuse(503, {"Event-Outcome": "refused"}), 24, True),
        (lambda items: Reply(503, {"results": [{"status": 503, "outcome": "unknown"}] * len(items)}), 24, False),
        (lambda items: Reply(503, {"results": [{"status": 503, "outcome": "refused"}] * len(items)}), 24, True),
    ],
)
def test_an_event_that_could_count_twice_is_not_sent_again(
    service: Service, opened: Open, answer: object, hours: int, arrives: bool
) -> None:
    """More than 23 hours after an attempt that may have written it, an event is dropped as in doubt."""
    clock = Clock()
    service.usual = answer  # type: ignore[assignment]
    # One attempt: a later one that `close` cuts would be in doubt.
    client = opened(clock=clock, first_retry_seconds=60)
    client.record("default")
    wait_until("an attempt", lambda: service.received)
    assert not client.close(0.5)
    clock.now += hours * HOUR
    service.usual = accept
    client = opened(clock=clock)
    assert client.flush()
    assert [one.reason for one in client.dropped] == ([] if arrives else ["in-doubt"])


def test_an_unsent_event_may_wait_for_weeks(service: Service, path: Path, opened: Open) -> None:
    """Events of a device that was offline are sent, however old they are."""
    clock = Clock()
    with_closed_port = Client("http://127.0.0.1:9", path, player="knight1", clock=clock, batch_seconds=0.01)
    with_closed_port.consent(True)
    with_closed_port.record("default")
    assert not with_closed_port.close(0.2)
    clock.now += 60 * 24 * HOUR
    client = opened(clock=clock)
    assert client.flush()
    [item] = service.items
    assert item["sent_at"] - item["occurred_at"] == 60 * 24 * HOUR


def test_a_full_queue_names_what_it_drops(service: Service, opened: Open) -> None:
    """The newest events are dropped; they have numbers, so the gap shows, and one range names them."""
    service.usual = refuse(503)
    client = opened(most_events=3)
    recorded = [client.record("default") for _ in range(5)]
    assert [one is None for one in recorded] == [False, False, False, True, True]
    [dropped] = client.dropped
    assert (dropped.first, dropped.last, dropped.reason) == (3, 4, "queue-full")
    assert client.dropped_events == 2
    service.usual = accept
    assert client.flush()
    client.record("default")
    assert client.flush()
    assert service.items[-1]["sequence"] == 5


def test_bytes_bound_the_queue_too(service: Service, opened: Open) -> None:
    """An event that would exceed the queue's bytes is dropped."""
    service.usual = refuse(503)
    client = opened(most_bytes=3000)
    assert client.record("default", properties={"text": "x" * 2000})
    assert client.record("default", properties={"text": "x" * 2000}) is None


def test_nothing_happens_without_consent(service: Service, path: Path) -> None:
    """Before consent there is no file and no request."""
    client = Client(service.url, path, player="knight1")
    assert client.record("default") is None
    assert client.close()
    assert not path.exists()
    assert service.received == []


def test_withdrawn_consent_deletes_everything(service: Service, path: Path, opened: Open) -> None:
    """Events, drops and the device's id are gone, from the bytes of the files too; a new consent starts over."""
    service.usual = refuse(503)
    client = opened(most_events=2)
    for _ in range(3):
        client.record("default", properties={"secret": "swordfish"})
    client.consent(False)
    assert client.record("default") is None
    assert (client.waiting, client.dropped, client.has_consent) == (0, [], False)
    assert not any(b"swordfish" in file.read_bytes() for file in path.parent.iterdir())
    requests = len(service.received)
    client.close()
    assert not Client(service.url, path, player="knight1").has_consent
    assert len(service.received) == requests


def test_devices_differ_after_a_new_consent(service: Service, opened: Open) -> None:
    """A device cannot be recognised across a withdrawal."""
    client = opened()
    for _ in range(2):
        client.consent(True)
        client.record("default")
        assert client.flush()
        client.consent(False)
    assert len({item["device_id"] for item in service.items}) == 2


def test_consent_is_remembered(service: Service, path: Path, opened: Open) -> None:
    """The next client of the queue needs no new consent."""
    opened().close()
    client = Client(service.url, path, player="knight1")
    assert client.record("default")
    assert client.close()


def test_a_second_client_of_a_queue_is_refused(service: Service, path: Path, opened: Open) -> None:
    """Neither this process nor another one opens a queue that is in use; a closed one it does."""
    client = opened()
    with pytest.raises(QueueInUseError, match="another client has the queue open"):
        Client(service.url, path, player="knight1")
    second = "import sys; from game_client import Client; Client(*sys.argv[1:], player='knight1')"
    assert "QueueInUseError" in _python(second, service.url, str(path)).stderr
    client.close()
    opened()


def test_another_players_queue_is_refused(service: Service, path: Path, opened: Open) -> None:
    """Events of one player never go out in the name of another."""
    opened().close()
    with pytest.raises(OtherPlayerError, match="'knight1'"):
        Client(service.url, path, player="knight2")


FORK = """
import os, sys
from game_client import Client, ForkedError
client = Client(sys.argv[1], sys.argv[2], player="knight1", batch_seconds=60)
client.consent(True)
client.record("default")
if child := os.fork():
    assert os.waitpid(child, 0)[1] == 0
    client.record("default")
    os.kill(os.getpid(), 9)
try:
    client.record("default")
except ForkedError:
    sys.exit(0)
sys.exit(1)
"""


def test_a_fork_cannot_use_or_harm_its_parents_client(service: Service, path: Path, opened: Open) -> None:
    """The child is refused, and its end leaves the parent's queue whole."""
    run = _python(FORK, service.url, str(path))
    assert run.returncode == -9, run.stderr
    client = opened()
    assert client.flush()
    assert [item["sequence"] for item in service.items] == [0, 1]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sequence": 3}, "sequence: expected none"),
        ({"properties": {"a": float("nan")}}, "default: cannot be encoded"),
        ({"properties": {"a": "\ud800"}}, "default: cannot be encoded"),
        ({"properties": {"a": object()}}, "default: cannot be encoded"),
        ({"properties": {"a": "x" * 70_000}}, "default: expected at most 65536 bytes"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_once(
    service: Service, opened: Open, fields: dict[str, object], message: str
) -> None:
    """The error names the field or the type, and no sequence number is lost."""
    client = opened()
    with pytest.raises(InvalidEventError, match=message):
        client.record("default", **fields)
    client.record("default")
    assert client.flush()
    assert service.items[0]["sequence"] == 0


def test_sessions_end_by_idleness_and_by_request(service: Service, opened: Open) -> None:
    """After half an hour without an event, and after `session()`, numbers start from 0 in a new session."""
    clock = Clock()
    client = opened(clock=clock)
    for pause in (0, 29, 31):
        clock.now += pause * 60 * 1000
        client.record("default")
    client.session()
    client.record("default")
    assert client.flush()
    assert [item["sequence"] for item in service.items] == [0, 1, 0, 0]
    assert len({item["session_id"] for item in service.items}) == 3


def test_threads_share_a_client(service: Service, opened: Open) -> None:
    """Numbers are unique and complete, whichever threads record."""
    client = opened()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.record("default"), range(100)))
    assert client.flush()
    assert sorted(item["sequence"] for item in service.items) == list(range(100))


def test_the_end_does_not_wait_for_a_response(service: Service, opened: Open) -> None:
    """`close` cuts the request that is underway when its time is over."""
    service.usual = lambda items: time.sleep(20)  # type: ignore[func-returns-value]
    client = opened()
    client.record("default")
    began = time.monotonic()
    assert not client.close(0.2)
    assert time.monotonic() - began < 5


def test_a_closed_client_is_refused(opened: Open) -> None:
    """After `close`, every call says so; closing again is harmless."""
    client = opened()
    client.close()
    client.close()
    for call in (lambda: client.record("default"), lambda: client.dropped, client.flush, client.session):
        with pytest.raises(ClientError, match="the client is closed"):
            call()
