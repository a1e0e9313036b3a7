"""The benchmark of a lost store: its rows, and the events that it is rebuilt from."""

import orjson
import pytest
from game_events import decode
from testbed.bench import rebuild
from testbed.bench.rebuild import Measured, Rebuild


@pytest.mark.parametrize(("replay", "restore", "met"), [(3.0, 59.0, [True, True]), (4.0, 61.0, [False, False])])
def test_targets(replay: float, restore: float, met: list[bool]) -> None:
    """Ten million events in 60 s are the target of both; the verdict names a missed one."""
    rows = rebuild.rows(Measured(500_000, Rebuild(replay, 1, 2), 5.0, 3_000_000, Rebuild(restore, 1, 2)))
    assert [row.met for row in rows if row.target] == met
    assert [row.value for row in rows if row.what.startswith("CPU")] == ["2 + 4 µs", "1.0 + 2.0 s"]


def test_every_record_is_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """The world applies each of them but a retry, and every player has some."""
    monkeypatch.setattr(rebuild, "PLAYERS", 10)
    values = [value for _, value in rebuild.records(60)]
    events = [decode(value) for value in values]
    assert {event["player"] for event in events} == {f"player {number}" for number in range(10)}
    assert {event["event_type"] for event in events} == {"purchase_sword", "join_guild", "declare_war"}
    assert len({orjson.loads(value)["event_id"] for value in values}) == 59
