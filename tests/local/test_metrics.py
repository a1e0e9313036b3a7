"""Metrics never decide an answer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.settings import Settings
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.game import Game


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
    """Kill the workers, and wait for others."""
    old = {worker.pid for worker in game.workers()}
    for worker in game.workers():
        worker.kill()
    wait_until("other workers", lambda: len({one.pid for one in game.workers()} - old) == len(old), 30)
    wait_until("the API", game.is_ready, 30)


def test_without_their_folder_the_game_goes_on(game: Game) -> None:
    """With the folder gone old workers and new ones answer, and what new ones do is counted again."""
    shutil.rmtree(metrics_folder(game))
    assert {answer.status for answer in game.ask_at_once("/", 20)} == {200}
    assert game.ask("/metrics").status == 200
    shutil.rmtree(metrics_folder(game))
    replace_workers(game)
    assert {answer.status for answer in game.ask_at_once("/purchase_a_sword", 20)} == {200}
    exposed = game.ask("/metrics")
    assert exposed.status == 200
    assert 'game_api_requests_total{action="purchase_sword",status="200"} 20.0' in exposed.text


def test_where_no_folder_can_be_the_game_goes_on(game: Game) -> None:
    """With a file in the folder's place new workers answer, and say what is in the way."""
    folder = metrics_folder(game)
    shutil.rmtree(folder)
    folder.touch()
    replace_workers(game)
    assert {answer.status for answer in game.ask_at_once("/", 20)} == {200}
    assert game.ask("/metrics").status == 200
    assert "metrics are incomplete" in game.api.log.read_text()
    folder.unlink()
