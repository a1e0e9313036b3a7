"""The conformance suite of the client SDKs: from the device to the row, through whatever happens on the way."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import psutil
import pytest
from testbed.devices.driven import Device
from testbed.devices.network import Network, State
from testbed.stack.stack import Stack

from tests.local.game import frozen
from tests.local.lake import Lake
from tests.local.sdks import PROGRAMS, Diary, counting_events

FAULTS = 30
SEED = 17


@pytest.fixture
def network(stack: Stack) -> Iterator[Network]:
    with Network(stack.settings.ports.api) as network:
        yield network


@pytest.fixture(params=PROGRAMS)
def device(request: pytest.FixtureRequest, network: Network, tmp_path: Path) -> Iterator[Device]:
    player = f"{request.param} {request.function.__name__}"
    with Device(network.url, tmp_path / "queue.db", player, PROGRAMS[request.param]) as device:
        yield device


def test_each_event_counts_once_whatever_the_network_does(stack: Stack, network: Network, device: Device) -> None:
    """Lost responses, cut connections, overload, offline, kill -9: an event counts once, and dropped ones are named."""
    diary = Diary(device)
    for state in State:
        network.become(state)
        diary.record(30)
        assert device.do("flush", 0.3) == (state is State.FINE)
    network.become(State.FINE)
    diary.kill_within(30)
    assert device.do("record", "no_such_type", {})
    dropped = diary.finish()
    assert [len(numbers) for numbers in dropped.values()] == [1]
    counts = Counter(event["event_id"] for event in counting_events(stack.settings, [device.player]))
    assert {counts[event_id] for event_id in diary.event_ids} == {1}
    assert set(counts.values()) == {1}


def test_from_the_device_to_the_row(stack: Stack, lake: Lake, network: Network, device: Device) -> None:
    """After 30 random faults of client, network, API and Kafka, each event is one row, and no number is missing."""
    random = Random(SEED)
    diary = Diary(device)
    for _ in range(FAULTS):
        diary.record(10)
        _inflict(random, stack, network, diary)
    network.become(State.FINE)
    dropped = diary.finish()
    lake.job("batch.py", "load")
    player = f"player = '{device.player}'"
    rows = lake.ask(
        f"SELECT event_id FROM visits WHERE {player} UNION ALL SELECT event_id FROM purchases WHERE {player}"
    )
    counts = Counter(event_id for (event_id,) in rows)
    assert dropped == {}
    assert {counts[event_id] for event_id in diary.event_ids} == {1}
    assert set(counts.values()) == {1}
    gaps = lake.ask(f"SELECT events, first, last, missing FROM session_gaps WHERE {player}")
    assert sum(events for events, *_ in gaps) == len(rows)
    assert {(first, missing) for _, first, _, missing in gaps} == {(0, 0)}


def _inflict(random: Random, stack: Stack, network: Network, diary: Diary) -> None:
    fault = random.choice([*State, "kill the device", "kill a worker of the API", "freeze Kafka"])
    if isinstance(fault, State):
        network.become(fault)
        time.sleep(random.uniform(0, 0.5))
    elif fault == "kill the device":
        diary.kill_within(random.randrange(30))
    elif fault == "kill a worker of the API":
        random.choice(psutil.Process(stack["api"].pid).children()).kill()
    else:
        with frozen(stack["kafka"]):
            time.sleep(random.uniform(0, 1))
