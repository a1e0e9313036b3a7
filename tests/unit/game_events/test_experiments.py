"""Experiments: which variant a player sees, and which changes of a declaration CI refuses."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from game_events.compatibility import RELEASED_EXPERIMENTS, experiment_breaks, experiments
from game_events.experiments import BUCKETS, EXPERIMENTS, Experiment, bucket, variants_of

THREE = {"a": 1_000, "b": 0, "c": 9_000}


def test_the_variant_is_the_documented_one() -> None:
    """Everybody who computes a bucket gets the same one: these were computed by sha256sum and bc."""
    assert bucket("tavern_sign", "knight1.comcast.com") == 9917
    assert bucket("tavern_sign", "jürgen 🗡") == 7036


def test_variants_have_the_buckets_in_order() -> None:
    """Each variant gets the share of players that its weight says, and one of weight 0 gets none."""
    experiment = Experiment("size", "", THREE)
    seen = Counter((experiment.variant_of(name), bucket("size", name) < 1_000) for name in map(str, range(20_000)))
    assert seen.keys() == {("a", True), ("c", False)}
    assert 1_800 < seen["a", True] < 2_200


def test_experiments_are_independent() -> None:
    """Of two experiments with equal halves, a quarter of the players sees each combination."""
    one, other = (Experiment(name, "", {"a": 5_000, "b": 5_000}) for name in ("one", "other"))
    seen = Counter((one.variant_of(name), other.variant_of(name)) for name in map(str, range(20_000)))
    assert all(4_750 < number < 5_250 for number in seen.values())
    assert len(seen) == 4


def test_after_the_end_all_see_the_winner() -> None:
    """An experiment with a winner gives everybody that variant."""
    stopped = Experiment("size", "", THREE, winner="b")
    assert {stopped.variant_of(name) for name in map(str, range(100))} == {"b"}
    assert stopped.variant_sql() == "'b'"


def test_a_player_sees_a_variant_of_every_experiment() -> None:
    """The variants of a player are those of each experiment."""
    variants = variants_of("ada")
    assert variants == {name: experiment.variant_of("ada") for name, experiment in EXPERIMENTS.items()}


@pytest.mark.parametrize(
    ("name", "variants", "winner", "problem"),
    [
        ("Size", THREE, "", "'Size': expected at most 64"),
        ("size", {"it's": BUCKETS}, "", '"it\'s": expected at most 64'),
        ("size", {}, "", "size.variants: expected weights that add up to 10000"),
        ("size", {"a": 50, "b": 50}, "", "size.variants: expected weights that add up to 10000"),
        ("size", {"a": -1, "b": BUCKETS + 1}, "", "size.variants: expected weights that add up to 10000"),
        ("size", THREE, "d", "size.winner: expected one of a, b, c, got 'd'"),
    ],
)
def test_a_declaration_is_checked(name: str, variants: Mapping[str, int], winner: str, problem: str) -> None:
    """A name that SQL or a URL would have to quote, wrong weights and an unknown winner are refused."""
    with pytest.raises(ValueError, match="expected") as refusal:
        Experiment(name, "", variants, winner)
    assert str(refusal.value).startswith(problem)


def test_the_experiments_are_those_released() -> None:
    """No player's variant of a released experiment changes, and every experiment is released."""
    released = json.loads(RELEASED_EXPERIMENTS.read_text())
    assert experiment_breaks(released, experiments()) == []
    assert experiments().keys() <= released.keys()


RUNNING: dict[str, Any] = {"variants": [["a", 5_000], ["b", 5_000]], "winner": ""}
STOPPED = RUNNING | {"winner": "b"}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (RUNNING, None, "size: was removed while it runs"),
        (RUNNING, {"variants": [["a", 1_000], ["b", 9_000]], "winner": ""}, "size: other variants or weights"),
        (RUNNING, {"variants": [["b", 5_000], ["a", 5_000]], "winner": ""}, "size: other variants or weights"),
        (STOPPED, RUNNING, "size: was stopped"),
    ],
)
def test_a_break_is_named(old: dict[str, Any], new: dict[str, Any] | None, problem: str) -> None:
    """A change that gives players another variant of an experiment that runs is named."""
    [found] = experiment_breaks({"size": old}, {"size": new} if new else {})
    assert found.startswith(problem)


@pytest.mark.parametrize(("old", "new"), [(None, RUNNING), (RUNNING, RUNNING), (RUNNING, STOPPED), (STOPPED, None)])
def test_an_experiment_has_its_life(old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
    """It is declared, runs, is stopped with a winner, and is removed."""
    assert experiment_breaks({"size": old} if old else {}, {"size": new} if new else {}) == []
