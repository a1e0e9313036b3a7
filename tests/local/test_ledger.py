"""The ledger against the real stack: it reports no difference if there is none, and otherwise exactly what differs."""

import json

import pytest
from testbed.audit.audit import EVERY_EVENT, audit
from testbed.audit.stage import Stage
from testbed.simulator import ledger
from testbed.simulator.ledger import Attempt
from testbed.simulator.players import Players
from testbed.stack.stack import Stack

from tests.command import run_testbed
from tests.local.lake import Lake
from tests.local.test_play import variables
from tests.poison import POISON, SWORD


@pytest.fixture(scope="module")
def played(stack: Stack, lake: Lake) -> list[Attempt]:
    """Attempts of players that the rules allow; all of them are rows, and so are bad records beside them."""
    with Players(stack.settings, rate=200, seconds=5, seed=1) as players:
        assert players.over(60)
    lake.write(value for value, _ in POISON.values())
    lake.job("batch.py", "load")
    assert players.tally.retried > 0
    return [attempt for attempt in ledger.attempts(stack.settings) if not attempt.forbidden]


def differences(stages: list[Stage]) -> dict[tuple[str, str], tuple[int, list[str]]]:
    return {
        (stage.name, name): (kind.count, kind.samples)
        for stage in stages
        for name, kind in stage.differences.items()
        if kind.count
    }


def found_in(stack: Stack) -> dict[tuple[str, str], tuple[int, list[str]]]:
    return differences(audit(stack.settings, wait=0, views=EVERY_EVENT))


def at(attempt: Attempt) -> str:
    return f"kafka_partition = {attempt.partition} AND kafka_offset = {attempt.offset}"


def once(played: list[Attempt]) -> Attempt:
    """Return an event with a single attempt."""
    keys = [attempt.key for attempt in played]
    return next(attempt for attempt in played if keys.count(attempt.key) == 1)


def test_no_differences(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """Every players' event is at its place once, and every offset is one row, including bad records."""
    stages = audit(stack.settings, wait=0)
    assert differences(stages) == {}
    players, table, views = stages
    assert players.compared == len({attempt.key for attempt in ledger.attempts(stack.settings)})
    assert views.compared == len({attempt.key for attempt in played})
    assert table.compared == len(lake.offsets())


def test_make_ledger(stack: Stack, played: list[Attempt]) -> None:
    """`make ledger` succeeds, and prints a line for each stage."""
    ran = run_testbed("ledger", "--wait", "0", **variables(stack))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [line.split("  ")[0] for line in ran.stdout.splitlines()[-4:]] == [
        "stage",
        "players → Kafka",
        "Kafka → table",
        "table → views",
    ]


@pytest.mark.usefixtures("repaired")
def test_a_row_is_deleted(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """`make ledger` waits for a deleted row, then names it and fails."""
    one = once(played)
    lake.ask(f"DELETE FROM lake.default.events WHERE {at(one)}")
    ran = run_testbed("ledger", "--wait", "2", **variables(stack))
    assert ran.returncode == 1
    assert "after 2 s the table is still behind Kafka" in ran.stdout
    assert ran.stdout.splitlines()[-1] == f"  Kafka → table, lost: {one.partition}:{one.offset} {one.key}"


@pytest.mark.usefixtures("repaired")
def test_a_row_is_doubled(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """A doubled row is named."""
    one = once(played)
    lake.ask(f"INSERT INTO lake.default.events SELECT * FROM lake.default.events WHERE {at(one)}")
    found = found_in(stack)
    assert found == {("Kafka → table", "doubled"): (1, [f"{one.partition}:{one.offset} {one.key}"])}


@pytest.mark.usefixtures("repaired")
def test_a_row_has_another_id(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """A row with another id than its record is named with both ids."""
    one = once(played)
    lake.ask(f"UPDATE lake.default.events SET event_id = 'another' WHERE {at(one)}")
    found = found_in(stack)
    place = f"{one.partition}:{one.offset}"
    assert found == {("Kafka → table", "differing"): (1, [f"{place}: record {one.key}, row another"])}


@pytest.mark.usefixtures("repaired")
def test_a_value_is_changed(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """A row that differs from its record in one column is named, whichever column it is."""
    one = once([attempt for attempt in played if attempt.event_type == "purchase_sword"])
    place = f"{one.partition}:{one.offset}"
    lake.ask(f"UPDATE lake.default.events SET strength = (strength + 1) % 11 WHERE {at(one)}")
    expected = {("Kafka → table", "differing"): (1, [f"{place}: record {one.key}, row {one.key} with other values"])}
    assert found_in(stack) == expected
    lake.ask(f"UPDATE lake.default.events SET strength = (strength + 10) % 11 WHERE {at(one)}")
    assert found_in(stack) == {}
    lake.ask(f"UPDATE lake.default.events SET kafka_timestamp = kafka_timestamp + interval '1' second WHERE {at(one)}")
    assert found_in(stack) == expected


@pytest.mark.usefixtures("repaired")
def test_a_bad_record_is_changed(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """A rejected row whose bytes differ from its record's is named."""
    [[partition, offset]] = lake.ask(
        "SELECT kafka_partition, kafka_offset FROM rejected_events WHERE length(raw_value) > 100 LIMIT 1"
    )
    here = f"kafka_partition = {partition} AND kafka_offset = {offset}"
    lake.ask(f"UPDATE lake.default.events SET raw_value = X'00' WHERE {here}")
    found = found_in(stack)
    [(what, (count, [sample]))] = found.items()
    assert (what, count) == (("Kafka → table", "differing"), 1)
    assert sample.startswith(f"{partition}:{offset}: record ")


@pytest.mark.usefixtures("repaired")
def test_an_erased_row(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """An erased row covers its offset, and is not missed in the views."""
    one = once(played)
    lake.ask(f"UPDATE lake.default.events SET family = 'erased', event_id = NULL WHERE {at(one)}")
    found = found_in(stack)
    assert found == {}


@pytest.mark.usefixtures("repaired")
def test_a_row_beyond_kafkas_end(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """A row at an offset that Kafka has not used yet is named."""
    end = max(offset for partition, offset in lake.offsets() if partition == 0) + 1
    lake.ask(
        "INSERT INTO lake.default.events (family, received_at, kafka_partition, kafka_offset) "
        f"VALUES ('rejected', current_timestamp(6), 0, {end})"
    )
    found = found_in(stack)
    assert found == {("Kafka → table", "differing"): (1, [f"0:{end}-{end}: rows, beyond Kafka's end"])}


def test_a_wrong_ledger(stack: Stack, played: list[Attempt]) -> None:
    """An event at another place than its answer named is reported, and so is one that was refused but written."""
    run = ledger.run_of(played[-1].key)
    path = ledger.folder(stack.settings) / f"{run}.jsonl"
    original = path.read_bytes()
    of_run = [attempt for attempt in played if ledger.run_of(attempt.key) == run]
    moved, denied = once(of_run), once(of_run[::-1])
    lines = original.splitlines(keepends=True)
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
        found = found_in(stack)
    finally:
        path.write_bytes(original)
    place = f"{moved.partition}:{moved.offset}"
    assert found == {
        ("players → Kafka", "differing"): (
            2,
            [
                f"{moved.partition}:999999 {moved.key}: acknowledged there, found at {place}",
                f"{denied.partition}:{denied.offset} {denied.key}: refused, but written",
            ],
        )
    }


def test_it_waits_for_the_table(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """The audit waits for records that are not rows yet."""
    [place] = lake.write([b"too late for the last batch"])
    job = lake.start_job("batch.py", "load")
    try:
        stages = audit(stack.settings, wait=180, views=EVERY_EVENT)
    finally:
        job.wait()
    assert differences(stages) == {}
    assert place in lake.places()


def test_offsets_without_a_record(
    stack: Stack, lake: Lake, played: list[Attempt], capsys: pytest.CaptureFixture[str]
) -> None:
    """Transaction markers and aborted records are neither waited for nor missed; committed records are compared."""
    lake.transact([json.dumps(SWORD | {"event_id": "committed"}).encode()], commit=True)
    lake.transact([json.dumps(SWORD | {"event_id": "aborted"}).encode()], commit=False)
    lake.job("batch.py", "load")
    stages = audit(stack.settings, wait=5, views=EVERY_EVENT)
    assert "the table is still behind Kafka" not in capsys.readouterr().out
    assert differences(stages) == {}
    assert stages[1].compared == len(lake.offsets())


def test_partitions_that_were_added(stack: Stack, lake: Lake, played: list[Attempt]) -> None:
    """Rows and records of partitions that were added later are compared too."""
    lake.add_partitions(stack.settings.partitions + 2)
    places = lake.write((json.dumps(SWORD | {"event_id": str(n)}).encode() for n in range(200)), key=None)
    assert max(places)[0] >= stack.settings.partitions
    lake.job("batch.py", "load")
    stages = audit(stack.settings, wait=5, views=EVERY_EVENT)
    assert differences(stages) == {}
    assert stages[1].compared == len(lake.offsets())
