from collections.abc import Sequence
from pathlib import Path

import pytest
from game_api.log.event_log import Outcome
from testbed.audit.places import Record, Row
from testbed.audit.reconciliation import Reconciliation
from testbed.audit.stage import Stage
from testbed.settings import Ports, Settings
from testbed.simulator.ledger import Attempt, Ledger, attempts, folder

A, B, C = "play-1-1", "play-1-2", "play-1-3"
OTHER = "019a0000-0000-7000-8000-000000000002"
"""An event of a client without a ledger."""


def acked(key: str, offset: int, time: float = 1.0) -> Attempt:
    return Attempt(key, "knight1", "default", 1, Outcome.ACKED, 0, offset, time)


def refused(key: str) -> Attempt:
    return Attempt(key, "knight1", "default", 1, Outcome.REFUSED)


def unknown(key: str) -> Attempt:
    return Attempt(key, "knight1", "default", 1, Outcome.UNKNOWN)


def record(offset: int, event_id: str | None, digest: str | None = "d0") -> Record:
    return Record(offset, event_id, digest, ("c0", "c1"))


def row(
    offset: int, event_id: str | None, family: str = "visits", digest: str | None = None, content: str = "c0"
) -> Row:
    return Row(offset, family, event_id, digest, content)


def reconcile(
    sent: Sequence[Attempt],
    records: Sequence[Record],
    rows: Sequence[Row],
    shown: Sequence[str] = (),
    window: range = range(3),
    kept_from: int = 0,
) -> list[Stage]:
    comparison = Reconciliation(sent, {0: window}, as_of=10.0)
    # In two chunks, like a long partition.
    for offsets in (window[:1], window[1:]):
        in_kafka = [one for one in records if one.offset in offsets]
        in_table = [one for one in rows if one.offset in offsets]
        comparison.add_chunk(0, offsets, kept_from, in_kafka, in_table)
    comparison.add_shown(shown)
    return comparison.conclude()


def differences(stages: Sequence[Stage]) -> list[tuple[str, str, int, list[str]]]:
    return [
        (stage.name, name, kind.count, kind.samples)
        for stage in stages
        for name, kind in stage.differences.items()
        if kind.count or kind.samples
    ]


WELL = ([record(0, A), record(1, OTHER), record(2, B)], [row(0, A), row(1, OTHER), row(2, B)], [A, OTHER, B])


def test_all_is_well():
    """There is no difference if every acknowledged event is at its place, and once in the table and the views."""
    stages = reconcile([acked(A, 0), acked(B, 2), refused(C)], *WELL)
    assert differences(stages) == []
    assert [(stage.name, stage.compared) for stage in stages] == [
        ("players → Kafka", 3),
        ("Kafka → table", 3),
        ("table → views", 2),
    ]


@pytest.mark.parametrize("sent", [[unknown(B)], [refused(B), unknown(B)], [unknown(B), unknown(B), acked(B, 2)]])
def test_an_unknown_event_may_exist(sent: list[Attempt]):
    """An event with an unknown outcome is no difference if it was written."""
    assert differences(reconcile([acked(A, 0), *sent], *WELL)) == []


def test_an_unknown_event_may_be_missing():
    """An event with an unknown outcome is no difference if it was not written."""
    assert differences(reconcile([acked(A, 0), acked(B, 2), unknown(C)], *WELL)) == []


def test_lost_before_kafka():
    """An acknowledged event that is missing in Kafka is lost before Kafka, and not reported again later."""
    assert differences(reconcile([acked(A, 0), acked(B, 2), acked(C, 1)], *WELL)) == [
        ("players → Kafka", "lost", 1, ["0:1 play-1-3"])
    ]


def test_lost_with_the_end_of_the_log():
    """An event acknowledged beyond Kafka's end is lost, unless it was acknowledged after the end was read."""
    sent = [acked(A, 0), acked(B, 2)]
    assert differences(reconcile([*sent, acked(C, 3, time=9.0)], *WELL)) == [
        ("players → Kafka", "lost", 1, ["0:3 play-1-3"])
    ]
    assert differences(reconcile([*sent, acked(C, 3, time=11.0)], *WELL)) == []


def test_acknowledged_at_another_place():
    """An event at another place than its answer named is reported with both places."""
    assert differences(reconcile([acked(A, 1), acked(B, 2)], *WELL)) == [
        ("players → Kafka", "differing", 1, ["0:1 play-1-1: acknowledged there, found at 0:0"])
    ]


def test_two_attempts_at_one_place():
    """Two acknowledged attempts must be two records."""
    assert differences(reconcile([acked(A, 0), acked(A, 0), acked(B, 2)], *WELL)) == [
        ("players → Kafka", "differing", 1, ["0:0 play-1-1: two attempts acknowledged at one place"])
    ]


def test_refused_but_written():
    """An event whose attempts were all refused must not be in Kafka."""
    assert differences(reconcile([refused(A), refused(A), acked(B, 2)], *WELL)) == [
        ("players → Kafka", "differing", 1, ["0:0 play-1-1: refused, but written"])
    ]


def test_written_twice():
    """One acknowledged attempt must be one record."""
    twice = [record(0, A), record(1, A), record(2, B)], [row(0, A), row(1, A), row(2, B)], [A, B]
    assert differences(reconcile([acked(A, 0), acked(B, 2)], *twice)) == [
        ("players → Kafka", "doubled", 1, ["0:0 and 0:1 play-1-1"])
    ]


def test_in_no_ledger():
    """A record with the key of a run is reported if the run's ledger does not have it."""
    assert differences(reconcile([acked(A, 0)], *WELL)) == [
        ("players → Kafka", "differing", 1, ["0:2 play-1-2: in no ledger"])
    ]


def test_a_retried_event_counts_once():
    """Two records with one key are two rows, of which the views show one."""
    twice = [record(0, A), record(1, A), record(2, B)], [row(0, A), row(1, A), row(2, B)]
    sent = [unknown(A), acked(A, 1), acked(B, 2)]
    assert differences(reconcile(sent, *twice, [A, B])) == []
    assert differences(reconcile(sent, *twice, [A, A, B])) == [
        ("table → views", "doubled", 1, ["play-1-1: 2 rows, shown 2 times"])
    ]
    assert differences(reconcile(sent, *twice, [A])) == [("table → views", "lost", 1, ["0:2 play-1-2"])]


def test_lost_before_the_table():
    """A record without a row is lost before the table, whatever client wrote it."""
    records, rows, _ = WELL
    assert differences(reconcile([acked(A, 0), acked(B, 2)], records, rows[:1], [A])) == [
        ("Kafka → table", "lost", 2, [f"0:1 {OTHER}", "0:2 play-1-2"])
    ]


def test_doubled_in_the_table():
    """Two rows at one offset are reported."""
    records, rows, shown = WELL
    assert differences(reconcile([acked(A, 0), acked(B, 2)], records, [*rows, rows[1]], shown)) == [
        ("Kafka → table", "doubled", 1, [f"0:1 {OTHER}"])
    ]


def test_another_event_in_the_table():
    """A row with another id than its record is reported with both ids."""
    records, rows, shown = WELL
    assert differences(reconcile([acked(A, 0), acked(B, 2)], records, [rows[0], row(1, "other"), rows[2]], shown)) == [
        ("Kafka → table", "differing", 1, [f"0:1: record {OTHER}, row other"])
    ]


def test_other_values_in_the_table():
    """A row that differs from its record in any column is reported, unless the record may become that row."""
    records, rows, shown = WELL
    changed = [row(0, A, content="c1"), row(1, OTHER, content="another"), rows[2]]
    assert differences(reconcile([acked(A, 0), acked(B, 2)], records, changed, shown)) == [
        ("Kafka → table", "differing", 1, [f"0:1: record {OTHER}, row {OTHER} with other values"])
    ]


def test_rejected_records():
    """A rejected row must have its record's bytes, and none if the record has none."""
    records = [record(0, None, "d1"), record(1, None, None), record(2, OTHER, "d3")]
    rows = [row(0, None, "rejected", "d1"), row(1, None, "rejected"), row(2, None, "rejected", "d3")]
    assert differences(reconcile([], records, rows)) == []
    rows[0] = row(0, None, "rejected", "d2")
    assert differences(reconcile([], records, rows)) == [
        ("Kafka → table", "differing", 1, ["0:0: record with the SHA-256 d1, row with the SHA-256 d2"])
    ]


def test_a_players_event_that_was_rejected():
    """A players' event that the table has as rejected is missing in the views."""
    records, rows, _ = WELL
    rows = [row(0, None, "rejected", "d0"), *rows[1:]]
    assert differences(reconcile([acked(A, 0), acked(B, 2)], records, rows, [B])) == [
        ("table → views", "lost", 1, ["0:0 play-1-1"])
    ]


@pytest.mark.parametrize("kept_from", [0, 2])
def test_erased_rows(kept_from: int):
    """An erased row covers its offset, whether Kafka still has the record or not; the views must not show it."""
    records, rows, _ = WELL
    rows = [row(0, None, "erased"), *rows[1:]]
    kept = records[kept_from:]
    sent = [acked(A, 0), acked(B, 2)]
    assert differences(reconcile(sent, kept, rows, [B], kept_from=kept_from)) == []
    assert differences(reconcile(sent, kept, rows, [A, B], kept_from=kept_from)) == [
        ("table → views", "doubled", 1, ["play-1-1: 0 rows, shown 1 times"])
    ]


def test_records_removed_by_retention():
    """For offsets that Kafka's retention has removed, the ledger is compared with the table, which must have no gap."""
    records, rows, shown = WELL
    sent = [acked(A, 0), acked(B, 2)]
    assert differences(reconcile(sent, records[2:], rows, shown, kept_from=2)) == []
    assert differences(reconcile([acked(A, 1), sent[1]], records[2:], rows, shown, kept_from=2)) == [
        ("players → Kafka", "differing", 1, ["0:1 play-1-1: acknowledged there, found at 0:0"])
    ]
    assert differences(reconcile(sent, records[2:], [rows[0], rows[2]], shown, kept_from=2)) == [
        ("Kafka → table", "lost", 1, ["0:1 which Kafka no longer has"])
    ]


def test_events_before_both_kafka_and_the_table():
    """An event acknowledged before the first offset of both Kafka and the table is not compared."""
    records, rows, shown = WELL
    sent = [acked(A, 0), acked(B, 2)]
    assert differences(reconcile(sent, records[1:], rows[1:], shown[1:], window=range(1, 3), kept_from=1)) == []


def test_lost_by_kafka():
    """A row without a record that Kafka should still have is reported; an offset without both is Kafka's own."""
    records, rows, shown = WELL
    sent = [acked(A, 0), acked(B, 2)]
    assert differences(reconcile(sent, [records[0], records[2]], rows, shown)) == [
        ("Kafka → table", "differing", 1, [f"0:1: no record, but the row {OTHER}"])
    ]
    assert differences(reconcile(sent, [records[0], records[2]], [rows[0], rows[2]], shown)) == []


def test_an_acknowledged_event_lost_by_kafka():
    """An acknowledged event without a record that Kafka should still have is lost, even if the table has a row."""
    records, rows, shown = WELL
    assert differences(reconcile([acked(A, 0), acked(B, 2)], records[:2], rows, shown)) == [
        ("players → Kafka", "lost", 1, ["0:2 play-1-2"]),
        ("Kafka → table", "differing", 1, ["0:2: no record, but the row play-1-2"]),
    ]


def test_an_erased_row_excuses_nothing_that_kafka_still_has():
    """While Kafka has the record, it is compared with the ledger even if its row is erased."""
    records, rows, shown = WELL
    rows = [rows[0], row(1, None, "erased"), rows[2]]
    assert differences(reconcile([acked(A, 1), acked(B, 2)], records, rows, shown)) == [
        ("players → Kafka", "differing", 1, ["0:1 play-1-1: acknowledged there, found at 0:0"])
    ]


def test_rows_beyond_kafkas_end():
    """Rows at offsets beyond Kafka's end are reported."""
    comparison = Reconciliation([], {0: range(2)}, as_of=0)
    comparison.add_beyond(0, range(2, 5))
    assert differences(comparison.conclude()) == [
        ("Kafka → table", "differing", 3, ["0:2-4: rows, beyond Kafka's end"])
    ]


def test_only_a_few_samples_are_kept():
    """All differences are counted, and the first five are kept as samples."""
    comparison = Reconciliation([], {0: range(1000)}, as_of=0)
    comparison.add_chunk(0, range(1000), 0, [record(offset, OTHER) for offset in range(1000)], [])
    assert differences(comparison.conclude()) == [
        ("Kafka → table", "lost", 1000, [f"0:{offset} {OTHER}" for offset in range(5)])
    ]


def test_an_attempt_without_an_answer_is_unknown(tmp_path: Path):
    """Each attempt is read once with its last outcome; an attempt without an answer is unknown."""
    settings = Settings(tmp_path, tmp_path, Ports())
    ledger = Ledger(settings)
    for offset in range(2):
        ledger.write(Attempt(A, "knight1", "default", 1 + offset))
        ledger.write(Attempt(A, "knight1", "default", 1 + offset, Outcome.ACKED, 0, offset, ms=2.5))
    ledger.write(Attempt(B, "knight2", "default", 1))
    ledger.close()
    [path] = folder(settings).iterdir()
    with path.open("ab") as file:
        file.write(b'{"key":"play-1-3","attem')
    read = [(one.key, one.attempt, one.outcome, one.offset) for one in attempts(settings)]
    assert read == [(A, 1, Outcome.ACKED, 0), (A, 2, Outcome.ACKED, 1), (B, 1, Outcome.UNKNOWN, None)]
