"""A device with the SDK for Python, driven by JSON lines: a command on stdin, its result on stdout.

Usage: python -m testbed.devices.device URL QUEUE PLAYER

| command | result |
|---|---|
| `["record", TYPE, FIELDS]` | the event's id, or null |
| `["flush", SECONDS]` | whether the queue is empty |
| `["consent", GIVEN]` | null |
| `["dropped"]` | the dropped ranges |

The conformance suite drives the devices of every SDK in this way.
"""

import json
import sys
from typing import Any

from game_client import Client

_BATCH_EVENTS = 20
_BATCH_SECONDS = 0.05
_RETRY_SECONDS = 0.05
"""A hurried client: tests have less time than players."""


def _do(client: Client, name: str, *arguments: Any) -> Any:  # noqa: ANN401 JSON
    match name, arguments:
        case "record", (event_type, fields):
            return client.record(event_type, **fields)
        case "flush", (seconds,):
            return client.flush(seconds)
        case "consent", (is_given,):
            return client.consent(is_given)
        case "dropped", ():
            return client.dropped
    raise ValueError(f"unknown command: {name} {arguments}")


def main() -> None:
    url, path, player = sys.argv[1:]
    with Client(
        url,
        path,
        player=player,
        batch_events=_BATCH_EVENTS,
        batch_seconds=_BATCH_SECONDS,
        first_retry_seconds=_RETRY_SECONDS,
    ) as client:
        for line in sys.stdin:
            print(json.dumps(_do(client, *json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
