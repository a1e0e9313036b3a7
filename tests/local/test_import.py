"""Imported files: their events are in the views, beside those of the topic."""

import json
from pathlib import Path

import pytest

from tests.local.lake import Lake
from tests.poison import SWORD

RECEIVED = 1_700_000_000_000


@pytest.mark.usefixtures("repaired")
def test_a_file(lake: Lake, tmp_path: Path) -> None:
    """The views show a file's events once, on their own day, and rejected_events shows its invalid lines."""
    old = {**SWORD, "event_id": "of-an-older-game", "received_at": RECEIVED, "idempotent": True}
    file = tmp_path / "history.jsonl"
    file.write_text(f"{json.dumps(old)}\n{json.dumps(old)}\n{{\n")
    said = lake.job("batch.py", "import", f"file:{file}")
    assert "1 files, 3 lines: 3 added, 1 of them rejected; 0 already there" in said
    shown = "SELECT kafka_partition, to_unixtime(timestamp) FROM purchases WHERE event_id = 'of-an-older-game'"
    assert lake.ask(shown) == [[-1, RECEIVED / 1000]]
    rejected = "SELECT from_utf8(raw_key), text FROM rejected_events WHERE kafka_partition = -1"
    assert lake.ask(rejected) == [[f"file:{file}:3", "{"]]
