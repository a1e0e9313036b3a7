"""Simulated players against the real API: the ledger has every answer, whatever happens to the API."""

import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from game_api.log.event_log import Outcome
from testbed.settings import Settings, SettingsError
from testbed.simulator import ledger
from testbed.simulator.ledger import Attempt
from testbed.simulator.players import Players
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests import command
from tests.command import port_settings, run_testbed
from tests.local.game import Game


@pytest.fixture(scope="module")
def game_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka, the API and the world."""
    stack = Stack(Settings.isolated(tmp_path_factory.mktemp("play")))
    stack.up(["kafka", "store", "api", "world"])
    yield stack
    stack.down()


def attempts(stack: Stack, path: Path) -> list[Attempt]:
    """Return the attempts in one run's ledger."""
    return [attempt for attempt in ledger.attempts(stack.settings) if ledger.run_of(attempt.key) == path.stem]


def variables(stack: Stack) -> dict[str, str]:
    """Return the variables by which a command finds this stack."""
    return {"GAMELAKE_DATA": str(stack.settings.data), **port_settings(stack.settings.ports)}


def test_make_play(game_stack: Stack) -> None:
    """`make play` sends rate times seconds events, sums them up, and its ledger has the place of each in Kafka."""
    ran = run_testbed(
        "play", "--players", "5", "--rate", "40", "--seconds", "6", "--seed", "7", **variables(game_stack)
    )
    assert ran.returncode == 0, ran.stderr
    assert re.search(
        r"(?m)^[\d,]+ sent, \d+/s \| [\d,]+ acked, 0 refused, 0 unknown, [\d,]+ against the rules \| p50 ",
        ran.stdout,
    )
    summary = re.search(
        r"(\d+) events in \d+ s: (\d+) acked, 0 refused, 0 unknown, (\d+) against the rules", ran.stdout
    )
    assert summary
    sent, *outcomes = map(int, summary.groups())
    # Those that are late at the end are not sent.
    assert 120 < sent == sum(outcomes) <= 240
    written = attempts(game_stack, Path(re.search(r"every attempt is written to (\S+)", ran.stdout)[1]))
    assert len({attempt.key for attempt in written}) == sent
    assert len({attempt.player for attempt in written}) == 5
    game = Game(game_stack)
    for attempt in [one for one in written if one.outcome is Outcome.ACKED][::20]:
        key, event = game.record(attempt.partition, attempt.offset)
        assert (key.decode(), event["event_id"], event["event_type"]) == (
            attempt.player,
            attempt.key,
            attempt.event_type,
        )


def test_kafka_is_killed_and_restarted(game_stack: Stack) -> None:
    """A refused or unknown event is retried under its key, and the ledger has every attempt with its outcome."""
    kafka, game = game_stack["kafka"], Game(game_stack)
    with Players(game_stack.settings, rate=50, seed=3, retries=60) as players:
        wait_until("players to be answered", lambda: players.tally.events[Outcome.ACKED] > 50)
        kafka.kill()
        wait_until("retries", lambda: players.tally.attempts.total() > players.tally.attempts[Outcome.ACKED] + 60)
        kafka.start()
        wait_until("Kafka", kafka.ready)
        seen = players.tally.events[Outcome.ACKED]
        wait_until("acknowledgements again", lambda: players.tally.events[Outcome.ACKED] > seen + 100)
    tally, sent = players.tally, attempts(game_stack, players.ledger)
    assert Counter(attempt.outcome for attempt in sent if not attempt.forbidden) == tally.attempts
    by_key: dict[str, list[Attempt]] = {}
    for attempt in sent:
        by_key.setdefault(attempt.key, []).append(attempt)
    assert sum(len(tries) > 1 for tries in by_key.values()) == tally.retried > 0
    assert any(tries[0].outcome is not Outcome.ACKED is tries[-1].outcome for tries in by_key.values())
    written = Counter(game.event_ids())
    for key, tries in by_key.items():
        assert [one.attempt for one in tries] == list(range(1, len(tries) + 1))
        outcomes = Counter(one.outcome for one in tries)
        assert outcomes[Outcome.ACKED] <= written[key] <= outcomes[Outcome.ACKED] + outcomes[Outcome.UNKNOWN]


def test_players_killed(game_stack: Stack) -> None:
    """After kill -9 of the players, their ledger has every event that Kafka has."""
    before = set(ledger.folder(game_stack.settings).glob("*"))
    playing = subprocess.Popen(
        [sys.executable, "-m", "testbed", "play", "--rate", "200"],
        env=command.environment(**variables(game_stack)),
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until("a ledger", lambda: set(ledger.folder(game_stack.settings).glob("*")) - before)
        [path] = set(ledger.folder(game_stack.settings).glob("*")) - before
        wait_until("players to be answered", lambda: len(attempts(game_stack, path)) > 200)
    finally:
        playing.kill()
        playing.wait()
    outcomes: dict[str, set[Outcome | None]] = {}
    for attempt in attempts(game_stack, path):
        outcomes.setdefault(attempt.key, set()).add(attempt.outcome)
    written = {key for key in Game(game_stack).event_ids() if ledger.run_of(key) == path.stem}
    assert {key for key, seen in outcomes.items() if Outcome.ACKED in seen} <= written <= set(outcomes)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped(game_stack: Stack, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end the run with its summary."""
    playing = subprocess.Popen(
        [sys.executable, "-m", "testbed", "play"],
        env=command.environment(**variables(game_stack)),
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = iter(playing.stdout)
    next(line for line in lines if " sent, " in line)
    playing.send_signal(number)
    output = "".join(lines)
    assert playing.wait(240) == 0
    assert re.search(r"[1-9]\d* events in \d+ s: [1-9]\d* acked, 0 refused, 0 unknown", output)


def test_invalid_settings_are_refused(game_stack: Stack) -> None:
    """Zero players, a zero rate and a zero duration are refused."""
    for wrong in ({"players": 0}, {"rate": 0}, {"seconds": 0}):
        with pytest.raises(SettingsError, match="players, rate, seconds: expected more than 0"):
            Players(game_stack.settings, **wrong)


def test_without_the_api(tmp_path: Path) -> None:
    """Without a stack, `play` and `ledger` name the command that starts one."""
    for name, needed in (("play", "api"), ("ledger", "kafka")):
        answer = run_testbed(name, GAMELAKE_DATA=str(tmp_path))
        assert (answer.returncode, answer.stderr) == (
            1,
            f"error: {needed} is not running. Start the stack first: make up\n",
        )
