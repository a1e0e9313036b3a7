"""Arbitrary records in the topic: a batch job turns them into rows that Trino's clients can read."""

import json
import uuid

from hypothesis import given, settings
from hypothesis import strategies as st
from testbed.waiting import wait_until

from tests.local.lake import Lake, Record
from tests.poison import HOSTILE_HEADERS, HOSTILE_KEYS, HOSTILE_TIMESTAMPS, POISON, SWORD
from tests.unit.lake.test_transforms import VALUES

# What the broker accepts: header names in UTF-8, times at most an hour ahead.
HEADERS = st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=20), st.none() | st.binary(max_size=50)))
TIMES = st.integers(-(10**17), 1_700_000_000_000) | st.sampled_from(HOSTILE_TIMESTAMPS)
KEYS = st.none() | st.binary(max_size=50) | st.sampled_from(HOSTILE_KEYS)


def generated(count: int) -> list[Record]:
    records: list[Record] = []

    @settings(max_examples=count)
    @given(st.tuples(KEYS, VALUES, HEADERS | st.sampled_from(HOSTILE_HEADERS), TIMES))
    def generate(record: Record) -> None:
        records.append(record)

    generate()
    return records


def test_every_record_becomes_a_row(lake: Lake) -> None:
    """Hundreds of arbitrary records become as many rows, and a client reads each of them back byte for byte."""
    sword = json.dumps(SWORD).encode()
    records = generated(400)
    records += [(key, sword, headers, 0) for key in HOSTILE_KEYS for headers in HOSTILE_HEADERS]
    records += [(b"k", value, [], time) for time in HOSTILE_TIMESTAMPS for value in (sword, b"no event")]
    records += [(b"k", value, [], 0) for value, _ in POISON.values()]
    places = lake.write_as_they_are(records)
    assert len(places) == len(records)
    lake.job("batch.py", "load")
    assert lake.places() == sorted(lake.offsets())
    assert len(lake.rows()) == len(lake.offsets())
    read = {
        (partition, offset): (key, value)
        for _, key, value, partition, offset in lake.ask(
            "SELECT timestamp, raw_key, raw_value, kafka_partition, kafka_offset FROM rejected_events"
        )
    }
    assert {place: kept for place, kept in read.items() if place in places} == {
        place: record[:2] for place, record in places.items() if place in read
    }
    valid = [record for place, record in places.items() if place not in read]
    assert all(isinstance(json.loads(value or b""), dict) for _, value, *_ in valid)


def test_files_are_on_disk(lake: Lake) -> None:
    """The DataNode forces every block to disk when it is closed, so that a power cut leaves committed files whole."""
    before = lake.datanode_activity()
    lake.write([json.dumps(SWORD).encode()])
    lake.job("batch.py", "load")

    def synced() -> bool:
        after = lake.datanode_activity()
        written, forced = (after[name] - before[name] for name in ("BlocksWritten", "FsyncCount"))
        return bool(forced >= written > 0)

    # The DataNode caches its counters for up to 10 s.
    wait_until("the DataNode's counters", synced)


def test_transactions(lake: Lake) -> None:
    """A job also ends if the last offsets have no record; committed records are rows, and aborted ones are not."""
    committed, aborted = (uuid.uuid4().hex for _ in range(2))
    lake.transact([json.dumps(SWORD | {"event_id": committed}).encode()], commit=True)
    lake.transact([json.dumps(SWORD | {"event_id": aborted}).encode()], commit=False)
    lake.job("batch.py", "load")
    assert lake.places() == sorted(lake.offsets())
    found = lake.ask(
        f"SELECT event_id, count(*) FROM lake.default.events WHERE event_id IN ('{committed}', '{aborted}') GROUP BY 1"
    )
    assert found == [[committed, len({partition for partition, _ in lake.offsets()})]]
