"""The devices that the conformance suite drives, one for each SDK, and what it knows of their events."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import orjson
from game_kafka.reader import TopicReader
from testbed.devices.driven import PYTHON, Device
from testbed.settings import Settings

from tests.attempts import counted

PROGRAMS = {"python": PYTHON}
"""The program of each SDK's device, driven as testbed.devices.device says."""


class Diary:
    """Records events on a device, and remembers which of them `record` accepted."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.event_ids: list[str] = []

    def record(self, count: int) -> None:
        for number in range(count):
            event_type, fields = ("default", {}) if number % 2 else ("purchase_sword", {"strength": 6})
            event_id = self._device.do("record", event_type, {**fields, "properties": {"number": number}})
            assert event_id, "the queue is not full"
            self.event_ids.append(event_id)

    def kill_within(self, count: int) -> None:
        """Kill the device while it records events, of which some may be stored; start it again."""
        with suppress(BrokenPipeError):
            for _ in range(count):
                self._device.send("record", "default", {})
        self._device.kill()
        self._device.start()

    def finish(self) -> dict[str, list[int]]:
        """Deliver everything; return the numbers of dropped events by session."""
        assert self._device.do("flush", 60), "the queue is empty"
        numbers: dict[str, list[int]] = {}
        for session_id, first, last, *_ in self._device.do("dropped"):
            numbers.setdefault(session_id, []).extend(range(first, last + 1))
        return numbers


def counting_events(settings: Settings, players: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the events of these players in the topic that count."""
    wanted = set(players)
    with TopicReader(settings.kafka, "sdks") as reader:
        for partition, window in reader.windows().items():
            messages = (message for some in reader.read(partition, window) for message in some)
            own = (message.value() for message in messages if (message.key() or b"").decode(errors="replace") in wanted)
            yield from counted([orjson.loads(value) for value in own if value])  # type: ignore[misc]
