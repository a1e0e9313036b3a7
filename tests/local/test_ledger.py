"""The ledger against the real stack: it says that all is well when it is, and else what is wrong, exactly."""

import json
from collections.abc import Iterator

import pytest
from testbed.audit.audit import audit
from testbed.audit.stage import Stage
from testbed.simulator import ledger
from testbed.simulator.ledger import Attempt
from testbed.simulator.players import Players
from testbed.stack.stack import Stack

from tests.local.lake import Lake
from tests.local.test_play import environment
from tests.local.test_stack import local
from tests.poison import POISON, SWORD


@pytest.fixture(scope="module")
def played(stack: Stack, lake: Lake) -> list[Attempt]:
    """What players were told of events that the rules allow; all of it, and bad records beside it, are rows."""
    with Players(stack.settings, rate=200, seconds=5, seed=1) as players:
        assert players.over(60)
    lake.write(value for value, _ in POISON.values())
    lake.job("batch.py", "load")
    assert players.tally.retried > 0
    return [attempt for attempt in ledger.attempts(stack.settings) if not attempt.forbidden]


@pytest.fixture
def repaired(lake: Lake) -> Iterator[None]:
    """Whatever the test does to the table is undone after it."""
    [[snapshot]] = lake.ask("SELECT snapshot_id FROM lake.default.\"events$refs\" WHERE name = 'main'")
    yield
    lake.ask(f"ALTER TABLE lake.default.events EXECUTE rollback_to_snapshot({snapshot})")


def differences(stages: list[Stage]) -> dict[tuple[str, str], tuple[int, list[str]]]:
    return {
        (stage.name, name): (kind.count, kind.samples)
        for stage in stages
        for name, kind in stage.differences.items()
        if kind.count
    }


def at(attempt: Attempt) -> str:
    return f"kafka_partition = {attempt.partition} AND kafka_offset = {attempt.offset}"


def once(played: list[Attempt]) -> Attempt:
    """An event of a single attempt."""
    keys = [attempt.key for attempt in played]
    return next(attempt for attempt in played if keys.count(attempt.key) == 1)


def test_all_is_well(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """Every event of the players is where it should be, once; every offset is one row, bad records too."""
    stages = audit(stack.settings, wait=0)
    assert differences(stages) == {}
    players, table, views = stages
    assert players.compared == len({attempt.key for attempt in ledger.attempts(stack.settings)})
    assert views.compared == len({attempt.key for attempt in played})
    assert table.compared == len(lake.offsets())


def test_make_ledger(stack: Stack, played: list[Attempt]) -> None:
    """`make ledger` succeeds and prints a line for each stage."""
    ran = local("ledger", "--wait", "0", **environment(stack))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [line.split("  ")[0] for line in ran.stdout.splitlines()[-4:]] == [
        "stage",
        "players → Kafka",
        "Kafka → table",
        "table → views",
    ]


@pytest.mark.usefixtures("repaired")
def test_a_row_is_gone(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """A row that is deleted is named by `make ledger`, which fails; waiting does not bring it back."""
    one = once(played)
    lake.ask(f"DELETE FROM lake.default.events WHERE {at(one)}")
    ran = local("ledger", "--wait", "2", **environment(stack))
    assert ran.returncode == 1
    assert "after 2 s the table is not where Kafka is" in ran.stdout
    assert ran.stdout.splitlines()[-1] == f"  Kafka → table, lost: {one.partition}:{one.offset} {one.key}"


@pytest.mark.usefixtures("repaired")
def test_a_row_is_doubled(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """A row that is there twice is named."""
    one = once(played)
    lake.ask(f"INSERT INTO lake.default.events SELECT * FROM lake.default.events WHERE {at(one)}")
    found = differences(audit(stack.settings, wait=0))
    assert found == {("Kafka → table", "doubled"): (1, [f"{one.partition}:{one.offset} {one.key}"])}


@pytest.mark.usefixtures("repaired")
def test_a_row_is_another(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """A row with another id than its record is named with both."""
    one = once(played)
    lake.ask(f"UPDATE lake.default.events SET event_id = 'another' WHERE {at(one)}")
    found = differences(audit(stack.settings, wait=0))
    place = f"{one.partition}:{one.offset}"
    assert found == {("Kafka → table", "differing"): (1, [f"{place}: record {one.key}, row another"])}


@pytest.mark.usefixtures("repaired")
def test_a_value_is_changed(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """A row of which one column is not its record's is named, whichever column it is."""
    one = once([attempt for attempt in played if attempt.event_type == "purchase_sword"])
    place = f"{one.partition}:{one.offset}"
    lake.ask(f"UPDATE lake.default.events SET strength = (strength + 1) % 11 WHERE {at(one)}")
    expected = {("Kafka → table", "differing"): (1, [f"{place}: record {one.key}, row {one.key} with other values"])}
    assert differences(audit(stack.settings, wait=0)) == expected
    lake.ask(f"UPDATE lake.default.events SET strength = (strength + 10) % 11 WHERE {at(one)}")
    assert differences(audit(stack.settings, wait=0)) == {}
    lake.ask(f"UPDATE lake.default.events SET kafka_timestamp = kafka_timestamp + interval '1' second WHERE {at(one)}")
    assert differences(audit(stack.settings, wait=0)) == expected


@pytest.mark.usefixtures("repaired")
def test_a_bad_record_is_changed(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """A rejected row whose bytes are not its record's is named."""
    [[partition, offset]] = lake.ask(
        "SELECT kafka_partition, kafka_offset FROM rejected_events WHERE length(raw_value) > 100 LIMIT 1"
    )
    here = f"kafka_partition = {partition} AND kafka_offset = {offset}"
    lake.ask(f"UPDATE lake.default.events SET raw_value = X'00' WHERE {here}")
    found = differences(audit(stack.settings, wait=0))
    [(what, (count, [sample]))] = found.items()
    assert (what, count) == (("Kafka → table", "differing"), 1)
    assert sample.startswith(f"{partition}:{offset}: record ")


@pytest.mark.usefixtures("repaired")
def test_an_erased_row(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """An erased row accounts for its offset, and nobody misses it in the views."""
    one = once(played)
    lake.ask(f"UPDATE lake.default.events SET family = 'erased', event_id = NULL WHERE {at(one)}")
    found = differences(audit(stack.settings, wait=0))
    assert found == {}


@pytest.mark.usefixtures("repaired")
def test_a_row_that_kafka_has_not_reached(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """A row at an offset that Kafka has not given yet is named."""
    end = max(offset for partition, offset in lake.offsets() if partition == 0) + 1
    lake.ask(
        "INSERT INTO lake.default.events (family, received_at, kafka_partition, kafka_offset) "
        f"VALUES ('rejected', current_timestamp(6), 0, {end})"
    )
    found = differences(audit(stack.settings, wait=0))
    assert found == {("Kafka → table", "differing"): (1, [f"0:{end}-{end}: rows, beyond Kafka's end"])}


def test_an_answer_that_was_not_true(stack: Stack, played: list[Attempt]) -> None:
    """An event that lies elsewhere than its answer said, and one that was refused but written, are named."""
    run = ledger.run_of(played[-1].key)
    path = ledger.folder(stack.settings) / f"{run}.jsonl"
    honest = path.read_bytes()
    of_run = [attempt for attempt in played if ledger.run_of(attempt.key) == run]
    moved, denied = once(of_run), once(of_run[::-1])
    lines = honest.splitlines(keepends=True)
    for index, line in enumerate(lines):
        if b'"outcome":"acked"' in line and f'"{moved.key}"'.encode() in line:
            lines[index] = line.replace(f'"offset":{moved.offset},'.encode(), b'"offset":999999,')
        if b'"outcome":"acked"' in line and f'"{denied.key}"'.encode() in line:
            lines[index] = line.replace(b'"acked"', b'"refused"').replace(
                f'"partition":{denied.partition},"offset":{denied.offset},'.encode(),
                b'"partition":null,"offset":null,',
            )
    path.write_bytes(b"".join(lines))
    try:
        found = differences(audit(stack.settings, wait=0))
    finally:
        path.write_bytes(honest)
    place = f"{moved.partition}:{moved.offset}"
    assert found == {
        ("players → Kafka", "differing"): (
            2,
            [
                f"{moved.partition}:999999 {moved.key}: acknowledged there, lies at {place}",
                f"{denied.partition}:{denied.offset} {denied.key}: refused, but written",
            ],
        )
    }


def test_it_waits_for_the_table(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """What is not a row yet is waited for."""
    [place] = lake.write([b"too late for the last batch"])
    job = lake.start_job("batch.py", "load")
    try:
        stages = audit(stack.settings, wait=180)
    finally:
        job.wait()
    assert differences(stages) == {}
    assert place in lake.places()


def test_offsets_without_a_record(
    stack: Stack, lake: Lake, played: list[Attempt], capsys: pytest.CaptureFixture[str]
) -> None:
    """Markers of transactions and aborted records are neither waited for nor missed; committed ones are compared."""
    lake.transact([json.dumps(SWORD | {"event_id": "committed"}).encode()], commit=True)
    lake.transact([json.dumps(SWORD | {"event_id": "aborted"}).encode()], commit=False)
    lake.job("batch.py", "load")
    stages = audit(stack.settings, wait=5)
    assert "the table is not where Kafka is" not in capsys.readouterr().out
    assert differences(stages) == {}
    assert stages[1].compared == len(lake.offsets())


def test_partitions_that_were_added(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """Rows and records of partitions that were added later are compared like all others."""
    lake.add_partitions(stack.settings.partitions + 2)
    places = lake.write((json.dumps(SWORD | {"event_id": str(n)}).encode() for n in range(200)), key=None)
    assert max(places)[0] >= stack.settings.partitions
    lake.job("batch.py", "load")
    stages = audit(stack.settings, wait=5)
    assert differences(stages) == {}
    assert stages[1].compared == len(lake.offsets())
