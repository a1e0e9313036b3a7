"""Failures of the metrics never affect a response."""

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
    """Kill the workers and wait for new ones."""
    old = {worker.pid for worker in game.workers()}
    for worker in game.workers():
        worker.kill()
    wait_until("other workers", lambda: len({one.pid for one in game.workers()} - old) == len(old), 30)
    wait_until("the API", game.is_ready, 30)


def test_without_their_folder_requests_succeed(game: Game) -> None:
    """If the folder is removed, old and new workers respond, and new workers count again."""
    shutil.rmtree(metrics_folder(game))
    assert {answer.status for answer in game.ask_at_once("/", 20)} == {200}
    assert game.ask("/metrics").status == 200
    shutil.rmtree(metrics_folder(game))
    replace_workers(game)
    assert {answer.status for answer in game.ask_at_once("/purchase_a_sword", 20)} == {200}
    exposed = game.ask("/metrics")
    assert exposed.status == 200
    assert 'game_api_requests_total{action="purchase_sword",status="200"} 20.0' in exposed.text


def test_without_a_usable_folder_requests_succeed(game: Game) -> None:
    """If a file has replaced the folder, new workers respond and log the problem."""
    folder = metrics_folder(game)
    shutil.rmtree(folder)
    folder.touch()
    replace_workers(game)
    assert {answer.status for answer in game.ask_at_once("/", 20)} == {200}
    assert game.ask("/metrics").status == 200
    assert "metrics are incomplete" in game.api.log.read_text()
    folder.unlink()
