"""Players who send events at a steady rate, half of them with a key.

It runs as a process of its own: `python -m testbed.bench.pace PORT RATE SECONDS` prints, as JSON, the partition, the
offset, the time of acknowledgement and the family of each event. The time is that of the monotonic clock, which all
processes of a machine share.
"""

import http.client
import json
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from game_api.origin import KEY_HEADER
from game_events import FIRST

from testbed.bench import traffic
from testbed.settings import HOST

CONNECTIONS = 8

Acknowledged = tuple[int, int, float]
"""Partition, offset, and when it was acknowledged."""
Played = tuple[int, int, float, str]
"""The same, and the event's family."""


def main() -> None:
    port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    count = int(rate * seconds)
    began = time.monotonic()

    def play(first: int) -> list[Played]:
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        return [_send(connection, one, began + one / rate) for one in range(first, count, CONNECTIONS)]

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        acknowledged = [one for played in pool.map(play, range(CONNECTIONS)) for one in played]
    print(json.dumps({"acknowledged": acknowledged}))


def _send(connection: http.client.HTTPConnection, number: int, due: float) -> Played:
    time.sleep(max(0, due - time.monotonic()))
    headers = {"Host": traffic.player(number), "Accept": "application/json"}
    if traffic.is_keyed(number // len(FIRST)):
        headers[KEY_HEADER] = str(uuid.uuid4())
    event_type = FIRST[number % len(FIRST)]
    connection.request("GET", event_type.request, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"status: expected 200, got {answer.status}: {body!r}")
    place = json.loads(body)
    return place["partition"], place["offset"], time.monotonic(), event_type.family


if __name__ == "__main__":
    main()
