"""The API while Kafka or a part of the API fails: nobody waits long, and no acknowledged event is lost."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import psutil
import pytest
import requests
from game_kafka.settings import ProducerSettings
from testbed.waiting import wait_until

from tests.local.game import Answer, Game, frozen, running_game

CLIENTS = 100
LIMIT = 15.0
"""The API answers within 5 s, which a client on a loaded machine sees late. By the defaults of Kafka's client or of a
connection it would wait longer than this."""


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with pytest.MonkeyPatch.context() as patch:
        # All clients here are one player, and send without pauses.
        patch.setenv("API_PLAYER_RATE", "0")
        with running_game(tmp_path_factory.mktemp("outages")) as game:
            yield game


class Ledger:
    """Clients that send requests continuously, each with its own keys, and the outcome of every key."""

    def __init__(self, game: Game) -> None:
        self._game = game
        self.acked: list[str] = []
        self.refused: list[str] = []
        self.unknown: list[str] = []
        self.slowest = 0.0
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "Ledger":
        self._threads = [threading.Thread(target=self._client, args=(number,)) for number in range(16)]
        for thread in self._threads:
            thread.start()
        wait_until("clients to be answered", lambda: len(self.acked) > 200)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _client(self, number: int) -> None:
        session = requests.Session()
        sent = 0
        while not self._stop.is_set():
            sent += 1
            key = f"{number}-{sent}-{random.random()}"
            headers = {"Idempotency-Key": key, "Accept": "application/json"}
            began = time.monotonic()
            try:
                answer = session.post(self._game.url + "/purchase_a_sword", headers=headers, timeout=60)
                outcome = "acked" if answer.json().get("offset", -1) >= 0 else answer.json()["outcome"]
            except requests.RequestException:
                outcome = "unknown"
            self.slowest = max(self.slowest, time.monotonic() - began)
            getattr(self, outcome).append(key)

    def check(self) -> None:
        """Compare the clients' outcomes with the records in Kafka."""
        written = Counter(self._game.event_ids())
        assert not set(self.acked) - set(written), "acknowledged, but lost"
        assert not set(self.refused) & set(written), "reported as refused, but written"
        assert not [key for key in self.acked if written[key] > 1], "written twice"


def check_outage(game: Game, answers: list[Answer]) -> None:
    """Check an outage's responses against the promise: within 5 s, a 503 with the outcome."""
    assert {answer.status for answer in answers} == {503}
    assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
    assert {answer.headers["Event-Outcome"] for answer in answers} <= {"refused", "unknown"}
    assert max(answer.seconds for answer in answers) < LIMIT
    assert game.ask("/readyz", is_admin=True).status == 503
    assert game.ask("/healthz").status == 200


def memory(game: Game) -> int:
    """Return the largest worker's resident bytes."""
    return max(int(worker.memory_info().rss) for worker in game.workers())


def test_kafka_killed(game: Game):
    """Without Kafka, a hundred simultaneous clients get a 503 within 5 s, and a 200 when it is back."""
    assert game.ask("/").status == 200
    game.kafka.kill()
    check_outage(game, game.ask_at_once("/purchase_a_sword", CLIENTS))
    # The circuit breaker is open by now, so nobody waits.
    again = game.ask_at_once("/purchase_a_sword", CLIENTS)
    assert {answer.json["outcome"] for answer in again} == {"refused"}
    assert median(game.ask("/").seconds for _ in range(5)) < ProducerSettings().delivery_timeout_ms / 1000
    assert memory(game) < 120 * 1024 * 1024
    game.kafka.start()
    wait_until("Kafka", game.kafka.ready)
    wait_until("the API to find Kafka again", game.is_ready)
    game.await_workers(200)


def test_kafka_frozen(game: Game):
    """A broker that holds its connections but does not respond is unavailable, and the queue for it is bounded."""
    # More events than all workers together may hold, and few enough that a slow machine can read them in time.
    events = [{"event_type": "default", "description": "d" * 900}] * 400
    with game.another_api(
        API_PLAYER_RATE="0", API_ADDRESS_RATE="0", KAFKA_QUEUE_MESSAGES="16000", API_BODY_TIMEOUT_SECONDS="60"
    ):
        with frozen(game.kafka):
            check_outage(game, game.ask_at_once("/events", CLIENTS, method="POST", json=events))
        assert memory(game) < 256 * 1024 * 1024
        game.await_workers(200)


def test_kafka_frozen_under_load(game: Game):
    """An event in flight while the broker is frozen may still be written, so its outcome is never refused."""
    with Ledger(game) as ledger:
        with frozen(game.kafka):
            wait_until("refusals", lambda: len(ledger.refused) > 100)
        seen = len(ledger.acked)
        wait_until("acknowledgements again", lambda: len(ledger.acked) > seen + 100)
    ledger.check()
    assert ledger.unknown
    assert ledger.slowest < LIMIT


def test_an_event_that_may_be_written_is_never_refused(game: Game):
    """After an unknown attempt under a key, every later attempt that fails is unknown too, on any worker."""
    items = [{"event_type": "default", "event_id": f"again {random.random()}"}]
    key = {"Idempotency-Key": f"again {random.random()}"}
    with frozen(game.kafka), ThreadPoolExecutor(2) as pool:
        first = pool.submit(game.ask, "/", headers=key)
        bulk = [game.ask("/events", "POST", json=items)]
        singles = [first.result()]
        bulk += game.ask_at_once("/events", 10, method="POST", json=items)
        singles += game.ask_at_once("/", 10, headers=key)
    assert {answer.json["results"][0]["outcome"] for answer in bulk} == {"unknown"}
    assert {answer.headers["Event-Outcome"] for answer in bulk} == {"unknown"}
    assert {answer.json["outcome"] for answer in singles} == {"unknown"}
    game.await_workers(200)


def test_readiness_is_lost_without_any_request(game: Game):
    """An idle API notices that Kafka becomes unavailable and available again."""
    with frozen(game.kafka):
        wait_until("the loss to be noticed", lambda: game.ask("/readyz", is_admin=True).status == 503)
    game.await_workers(200)


def test_kafka_killed_under_load(game: Game):
    """After an outage, acknowledged events are in Kafka once, and refused ones are not."""
    with Ledger(game) as ledger:
        game.kafka.kill()
        wait_until("refusals", lambda: len(ledger.refused) > 100)
        game.kafka.start()
        seen = len(ledger.acked)
        wait_until("acknowledgements again", lambda: len(ledger.acked) > seen + 100)
    assert ledger.slowest < LIMIT
    ledger.check()


def test_a_worker_killed_under_load(game: Game):
    """If a worker dies, its clients lose their connections, but no acknowledged event is lost."""
    with Ledger(game) as ledger:
        workers = {worker.pid for worker in game.workers()}
        game.workers()[0].kill()
        wait_until("another worker", lambda: len({worker.pid for worker in game.workers()} - workers) == 1)
        seen = len(ledger.acked)
        wait_until("acknowledgements again", lambda: len(ledger.acked) > seen + 200)
    assert len(ledger.unknown) <= 16
    ledger.check()


def test_stopped_under_load(game: Game):
    """SIGTERM lets every accepted request finish, and all acknowledged events are in Kafka."""
    with Ledger(game) as ledger:
        master = psutil.Process(game.api.pid)
        master.terminate()
        master.wait(240)
    game.api.start()
    wait_until("the API", game.is_ready)
    assert not ledger.refused
    ledger.check()


def test_stopped_while_a_request_waits(game: Game):
    """After SIGTERM the API waits for pending acknowledgements, and the client gets its 200."""
    with game.another_api(KAFKA_DELIVERY_TIMEOUT_MS="20000"), ThreadPoolExecutor(1) as pool:
        with frozen(game.kafka):
            answer = pool.submit(game.ask, "/")
            wait_until("the event to be queued", lambda: "queue_length 1.0" in game.ask("/metrics", is_admin=True).text)
            game.api.signal(signal.SIGTERM)
        assert answer.result().status == 200
        assert answer.result().json["event_id"] in game.event_ids()


def test_started_without_kafka(game: Game):
    """The API starts without Kafka, reports that at once, and needs no restart when Kafka starts."""
    game.kafka.kill()
    game.api.stop()
    game.api.start()
    wait_until("the API to listen", lambda: _is_alive(game))
    answers = game.ask_at_once("/purchase_a_sword", CLIENTS)
    check_outage(game, answers)
    assert {answer.json["outcome"] for answer in answers} == {"refused"}
    game.kafka.start()
    wait_until("Kafka", game.kafka.ready)
    game.await_workers(200)


def test_a_full_queue_refuses(game: Game):
    """A request that would exceed a worker's queue is refused as a whole; others are written as a whole."""
    with game.another_api(WEB_CONCURRENCY="1", KAFKA_QUEUE_MESSAGES="1000", KAFKA_LINGER_MS="2000"):
        before = sum(game.ends().values())
        answers = game.ask_at_once("/events", 8, method="POST", json=[{"event_type": "default"}] * 300)
        assert {answer.status for answer in answers} == {200, 503}
        refused = [answer for answer in answers if answer.status == 503]
        assert {answer.headers["Event-Outcome"] for answer in refused} == {"refused"}
        assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
        assert sum(game.ends().values()) == before + 300 * (len(answers) - len(refused))
        assert game.ask("/events", "POST", json=[{"event_type": "default"}] * 1000).status == 200


def test_preloaded(game: Game):
    """With --preload, each worker still has its own producer."""
    with game.another_api("--preload", WEB_CONCURRENCY="3"):
        answers = game.ask_at_once("/purchase_a_sword", 60)
        assert {answer.status for answer in answers} == {200}
        assert len(game.workers()) == 3
        written = game.event_ids()
        assert {answer.json["event_id"] for answer in answers} <= set(written)


def _is_alive(game: Game) -> bool:
    try:
        return game.ask("/healthz").status == 200
    except requests.ConnectionError:
        return False
