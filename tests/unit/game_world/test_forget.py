"""The command that forgets players."""

import sys
from collections.abc import Callable
from pathlib import Path
from threading import Timer

import pytest
from game_world import __main__ as program
from game_world.keeper import Keeper

from tests.unit.game_world.topic import Topic


@pytest.fixture
def forget(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Run the command for Ada, who is a player."""
    topic.do("default", "ada")
    topic.project()
    monkeypatch.setenv("WORLD_URL", topic.store.url)
    monkeypatch.setattr(sys, "argv", ["game_world", "--forget", "Ada"])
    return program.main


def test_it_ends_when_no_snapshot_names_the_player(
    topic: Topic, forget: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    """It waits for the projection, and then says that it is done."""
    projection = Timer(0.5, lambda: Keeper(topic.store, None, 900).keep("topic"))
    projection.start()
    assert forget() == 0
    projection.join()
    assert not topic.hero("ada")
    assert topic.store.forgettings() == (1, 1)
    assert "the world has forgotten the player" in capsys.readouterr().out


def test_without_the_projection_it_fails(
    topic: Topic, forget: Callable[[], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The store has forgotten the player, but nobody knows what snapshots say; the error says what to do."""
    monkeypatch.setattr(program, "_PATIENCE", 0.1)
    assert forget() == 1
    assert not topic.hero("ada")
    printed = capsys.readouterr()
    assert "snapshots may still name them" in printed.err
    assert "forgotten the player" not in printed.out


def test_while_the_world_is_rebuilt_it_fails(
    topic: Topic, forget: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    """What is read later would name the player again."""
    topic.store.claim("another")
    assert forget() == 1
    assert "being rebuilt" in capsys.readouterr().err


def test_many_at_once(
    topic: Topic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Players are named one by one, also if a name looks like an option, or in a file."""
    players = ["ada", "grace", "-x", "linus", "alan"]
    for player in players:
        topic.do("default", player)
    topic.project()
    file = tmp_path / "names.txt"
    file.write_text("# of March\nLinus\n")
    monkeypatch.setenv("WORLD_URL", topic.store.url)
    arguments = ["--forget", "Ada", "GRACE", "--forget=-X", f"--forget-from={file}"]
    monkeypatch.setattr(sys, "argv", ["game_world", *arguments])
    projection = Timer(0.5, lambda: Keeper(topic.store, None, 900).keep("topic"))
    projection.start()
    assert program.main() == 0
    projection.join()
    assert [player for player in players if topic.hero(player)] == ["alan"]
    assert "the world has forgotten 4 players" in capsys.readouterr().out
