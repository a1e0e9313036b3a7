import sys
from math import inf

import pytest
from testbed.bench import __main__ as bench
from testbed.bench.connect import Steadiness
from testbed.bench.connect_faults import Kill, Recovery
from testbed.bench.connect_rows import catch_up_rows, fault_rows, steady_rows
from testbed.bench.exactness import Exactness, compared
from testbed.bench.jobs import Cost, Load
from testbed.bench.measurements import MEASUREMENTS
from testbed.bench.writers import OURS, THEIRS

CLEAN = Exactness(0, 0, 0)


def test_each_record_without_a_row_is_lost_and_each_further_row_doubled() -> None:
    """A record has one row, of its own event; a row without a record differs, however often it is there."""
    records = {(0, 0): "a", (0, 1): "b", (1, 0): "c", (1, 1): "d"}
    rows = [(0, 0, "a"), (0, 0, "a"), (0, 0, "a"), (1, 0, "x"), (1, 1, "d"), (1, 2, "e")]
    assert compared(records, rows) == Exactness(lost=1, doubled=2, differing=2)


def test_a_table_like_the_topic_is_exact() -> None:
    assert compared({(0, 7): "a"}, [(0, 7, "a")]) == CLEAN


def test_what_the_faults_cost_is_added_up_and_printed() -> None:
    """Each fault is a row: the sums of lost and doubled, the longest recovery, and what did not restart by itself."""
    kills = [
        Kill("broker", {OURS: Recovery(4.2, 0, False, CLEAN), THEIRS: Recovery(9, 3, False, Exactness(2, 1, 0))}),
        Kill("NameNode", {OURS: Recovery(7, 0, False, CLEAN), THEIRS: Recovery(8, 0, False, CLEAN)}),
        Kill("broker", {OURS: Recovery(5, 0, False, CLEAN), THEIRS: Recovery(190, 1, True, Exactness(3, 0, 0))}),
    ]
    broker, namenode = fault_rows(kills, 2)
    assert broker.what == "broker, kill -9 under load, 2 times, a commit every 2 s; longest recovery"
    assert broker.figures[OURS] == "0 lost, 0 doubled, 5 s"
    assert broker.figures[THEIRS] == (
        "**5 lost**, **1 doubled**, 190 s, 4 failed tasks restarted, its process restarted by hand once"
    )
    assert namenode.figures[THEIRS] == "0 lost, 0 doubled, 8 s"


def test_a_writer_that_did_not_recover_is_printed() -> None:
    lost = Recovery(inf, 2, True, Exactness(400, 0, 0))
    [row] = fault_rows([Kill("broker", {OURS: Recovery(1, 0, False, CLEAN), THEIRS: lost})], 10)
    assert row.figures[THEIRS].startswith("**400 lost**, 0 doubled, no recovery in 360 s, 2 failed tasks restarted")


def test_events_per_core_are_known_with_and_without_the_start() -> None:
    loads = [{OURS: Load(600, Cost(8, 10), Cost(5, 4)), THEIRS: Load(600, Cost(8, 7), Cost(5, 4))}]
    started, with_start, _ = catch_up_rows(loads, 10)
    assert (started.value, started.comparison) == ("100", f"200, {THEIRS}")
    assert with_start.value == "60"
    assert started.ratio.startswith("0.50")


def test_freshness_is_printed_beside_its_cost() -> None:
    """A slower writer that uses fewer cores is seen to do so."""
    found = {OURS: Steadiness([1.0, 2.0], 0.5), THEIRS: Steadiness([100.0, 300.0], 0.1)}
    fresh, cores = steady_rows(found, {OURS: 10, THEIRS: 300}, 200)
    assert fresh.value == "1.0 / 2.0 / 2.0 s"
    assert fresh.comparison == f"100.0 / 300.0 / 300.0 s, {THEIRS}"
    assert "each at its own default, a commit every 10 s and every 300 s" in fresh.what
    assert (cores.value, cores.ratio) == ("0.50", "5.00")


def test_kafka_connect_is_measured_only_when_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of all measurements does not download it."""
    monkeypatch.setattr(sys, "argv", ["bench"])
    assert set(bench.parsed().only) == MEASUREMENTS.keys() - {"connect"}
    monkeypatch.setattr(sys, "argv", ["bench", "--only", "connect", "--intervals", "2"])
    assert (bench.parsed().only, bench.parsed().intervals) == (["connect"], [2])
