"""What the metrics say, and that their failures never affect a response."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from game_world.store import Store, key
from prometheus_client.parser import text_string_to_metric_families
from testbed.settings import HOST, Settings
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.game import Game, frozen


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    stack = Stack(Settings.isolated(tmp_path_factory.mktemp("metrics")))
    stack.up(["kafka", "store", "world", "api"])
    try:
        yield Game(stack)
    finally:
        stack.down()


def metrics_folder(game: Game) -> Path:
    [folder] = (game.settings.data / "run").glob("game-api-metrics-*")
    return folder


def replace_workers(game: Game) -> None:
    """Kill the workers and wait for new ones."""
    old = {worker.pid for worker in game.workers()}
    for worker in game.workers():
        worker.kill()
    wait_until("other workers", lambda: len({one.pid for one in game.workers()} - old) == len(old))
    wait_until("the API", game.is_ready)


def of_the_world(game: Game) -> dict[str, float]:
    """The sums of the projection's metrics, by name."""
    url = f"http://{HOST}:{game.settings.ports.world_metrics}/metrics"
    text = requests.get(url, timeout=60).text
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {one.name: sum(other.value for other in samples if other.name == one.name) for one in samples}


def test_the_world_tells_how_far_it_is_behind(game: Game) -> None:
    """A projection that stands still has pending events; once it goes on, it has caught up with the topic."""
    store = Store(game.settings.store_url).redis
    with frozen(game.world):
        players = [{"X-Player": f"explorer{number}"} for number in range(20)]
        assert {game.ask("/explore", "POST", headers=player).status for player in players} == {200}
        assert store.hlen(key("pending")) == 20
    wait_until("no pending event", lambda: store.hlen(key("pending")) == 0)

    def has_caught_up() -> bool:
        figures = ("pending_events", "caught_up", "lag_records", "failures_total")
        return [of_the_world(game)[f"game_world_{name}"] for name in figures] == [0, 1, 0, 0]

    wait_until("the figures of it", has_caught_up)


def test_the_world_tells_how_full_its_store_is(game: Game) -> None:
    """The used memory and its limit are figures of the store."""
    limit = 64 << 20
    Store(game.settings.store_url).redis.config_set("maxmemory", limit)
    wait_until("the limit", lambda: of_the_world(game)["game_world_store_memory_limit_bytes"] == limit)
    found = of_the_world(game)
    assert 0 < found["game_world_store_memory_bytes"] < limit
    assert found["game_world_store_full"] == 0


def test_refusals_are_counted_by_their_reason(game: Game) -> None:
    """A player who cannot pay is counted under what is missing, and not by name."""
    answers = game.ask_at_once("/purchase_a_castle", 10, method="POST", headers={"X-Player": "pauper"})
    assert {answer.status for answer in answers} == {409}
    text = game.ask("/metrics", is_admin=True).text
    assert 'game_api_refusals_total{reason="not-enough-gold",status="409"} 10.0' in text
    assert "pauper" not in text


def test_without_their_folder_requests_succeed(game: Game) -> None:
    """If the folder is removed, old and new workers respond, and new workers count again."""
    shutil.rmtree(metrics_folder(game))
    assert {answer.status for answer in game.ask_at_once("/", 20)} == {200}
    assert game.ask("/metrics", is_admin=True).status == 200
    shutil.rmtree(metrics_folder(game))
    replace_workers(game)
    assert {answer.status for answer in game.ask_at_once("/purchase_a_sword", 20)} == {200}
    exposed = game.ask("/metrics", is_admin=True)
    assert exposed.status == 200
    assert 'game_api_requests_total{action="purchase_sword",status="200"} 20.0' in exposed.text


def test_without_a_usable_folder_requests_succeed(game: Game) -> None:
    """If a file has replaced the folder, new workers respond and log the problem."""
    folder = metrics_folder(game)
    shutil.rmtree(folder)
    folder.touch()
    replace_workers(game)
    assert {answer.status for answer in game.ask_at_once("/", 20)} == {200}
    assert game.ask("/metrics", is_admin=True).status == 200
    assert "metrics are incomplete" in game.api.log.read_text()
    folder.unlink()
