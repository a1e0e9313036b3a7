"""Retried requests, from the client to the views: across a frozen Kafka, and with keys used for days."""

import time
from typing import Any

import requests
from game_events import SCHEMA_VERSION, encode
from game_events.event_ids import uuid7s
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.game import frozen
from tests.local.lake import Lake


def post(stack: Stack, player: str, **headers: str) -> requests.Response:
    accepting = {"X-Player": player, "Accept": "application/json", **headers}
    return requests.post(f"{stack.settings.api_url}/purchase_an_axe", headers=accepting, timeout=60)


def bought(lake: Lake, player: str) -> int:
    """Load the topic into the table; return how many purchases of a player the view shows."""
    lake.job("batch.py", "load")
    return int(lake.ask(f"SELECT count(*) FROM hive.default.purchases WHERE player = '{player}'")[0][0])


def axe(player: str, event_id: str, hours: float, is_marked: bool) -> bytes:
    event: dict[str, Any] = {"event_id": event_id, "event_type": "purchase_axe", "schema_version": SCHEMA_VERSION}
    event |= {"player": player, "received_at": 1_700_000_000_000 + int(hours * 3_600_000), "strength": 1}
    return encode(event | ({"idempotent": True} if is_marked else {}))


def test_a_retry_without_a_key_counts_once(stack: Stack, lake: Lake) -> None:
    """An event without a key and with an unknown outcome is one purchase together with its retries."""
    with frozen(stack["kafka"]):
        unknown = post(stack, "retrying")
    assert (unknown.status_code, unknown.json()["outcome"]) == (503, "unknown")
    key = {"Idempotency-Key": unknown.json()["event_id"]}
    for _ in range(2):
        # Another worker may reconnect to Kafka a moment later.
        wait_until("Kafka", lambda: post(stack, "retrying", **key).status_code == 200)
    assert bought(lake, "retrying") == 1


def test_retried_records_count_by_the_once_rule(lake: Lake) -> None:
    """In Trino's view, retries in any order and keys used for days count by the once rule."""
    now = int(time.time() * 1000)
    expected = {}
    for number, marks in enumerate([(False, True), (True, False), (True,), (True, True), (False, True, True)]):
        [event_id] = uuid7s(now, 1)
        player = f"retried {number}"
        lake.write([axe(player, event_id, 0, is_marked) for is_marked in marks], player.encode())
        expected[player] = 1
    for number, (hours, times) in enumerate([([0, 1, 23, 25, 49], 1), ([0, 25], 2), ([0, 25, 26, 51], 3)]):
        player = f"daily {number}"
        lake.write([axe(player, "key", hour, True) for hour in hours], player.encode())
        expected[player] = times
    lake.job("batch.py", "load")
    rows = lake.ask(
        "SELECT player, count(*) FROM hive.default.purchases "
        "WHERE player LIKE 'retried %' OR player LIKE 'daily %' GROUP BY player"
    )
    assert dict(rows) == expected
