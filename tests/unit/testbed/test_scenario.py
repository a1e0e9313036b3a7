"""The demo's scenario: what clients of the first version send."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

from game_api import create_app
from game_events import EVENT_TYPES
from testbed.settings import Settings
from testbed.simulator.players import play
from testbed.simulator.scenario import SCENARIO

from tests.unit.game_api.client import run
from tests.unit.game_api.memory_log import MemoryLog
from tests.unit.game_api.test_front import served

OLD_PATHS = {event_type.request: event_type.name for event_type in EVENT_TYPES.values()}


def test_the_scenario_takes_the_old_paths(tmp_path: Path) -> None:
    """It sends GETs without keys to the paths of the first version, as a player whom the Host header names."""
    log = MemoryLog()
    once = [replace(requests, times=1) for requests in SCENARIO]

    async def serve() -> Counter[int]:
        async with served(create_app(log)) as port:
            settings = Settings.isolated(tmp_path)
            here = replace(settings, ports=replace(settings.ports, api=port))
            return await asyncio.to_thread(play, here, once)

    assert run(serve()) == Counter(requests.status for requests in once)
    assert [(event["player"], event["host"], event["event_type"]) for event in log.events] == [
        (requests.host, requests.host, OLD_PATHS[requests.path]) for requests in once if requests.status == 200
    ]
    assert not any(event.get("idempotent") for event in log.events)
