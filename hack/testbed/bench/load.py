"""The load generator: keep-alive connections in a closed loop, for a bounded time.

It runs as a process of its own, so that its CPU time is not the server's: `python -m testbed.bench.load PORT
CONNECTIONS SECONDS [BULK_SIZE | decided]` prints JSON.
"""

import json
import re
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from typing import NamedTuple

from testbed.settings import HOST

PATIENCE = 10.0
"""Seconds to wait for the last answers."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class Answer(NamedTuple):
    status: int
    closes: bool


def parse(received: bytes) -> Answer | None:
    """Return the answer, or None while it is incomplete."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return None
    length = _LENGTH.search(head)
    if not length:
        raise ValueError(f"answer: expected a Content-Length, got {head!r}")
    if len(body) < int(length[1]):
        return None
    return Answer(int(head.split(b" ", 2)[1]), bool(_CLOSE.search(head)))


class Player:
    """One connection, which is reopened whenever the server closes it."""

    def __init__(self, port: int, selector: selectors.BaseSelector, requests: Iterator[bytes]) -> None:
        self._port = port
        self._selector = selector
        self._requests = requests
        self._socket: socket.socket | None = None
        self._received = b""
        self._began = 0.0

    def send(self) -> None:
        self._began = time.perf_counter()
        if self._socket is None:
            self._socket = socket.create_connection((HOST, self._port), timeout=PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._received = b""
        self._socket.sendall(next(self._requests))

    def receive(self) -> tuple[int, float] | None:
        """Return the status and the seconds of an answer, or None while it is incomplete."""
        assert self._socket is not None  # noqa: S101 for the type checker
        part = self._socket.recv(262_144)
        if not part:
            raise ConnectionError(f"closed before the answer was complete: {self._received!r}")
        self._received += part
        answer = parse(self._received)
        if not answer:
            return None
        seconds = time.perf_counter() - self._began
        if answer.closes:
            self.close()
        return answer.status, seconds

    def close(self) -> None:
        if self._socket:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None


def percentile(ordered: list[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def play(port: int, connections: int, seconds: float, requests: list[bytes]) -> dict[str, object]:
    statuses: Counter[int] = Counter()
    times: list[float] = []
    with selectors.DefaultSelector() as selector:
        players = [Player(port, selector, cycle(requests[start:] + requests[:start])) for start in range(connections)]
        began = time.monotonic()
        for one in players:
            one.send()
        waiting = connections
        while waiting:
            if time.monotonic() > began + seconds + PATIENCE:
                raise TimeoutError(f"{waiting} requests had no answer {PATIENCE:.0f} s after the end")
            for key, _ in selector.select(1):
                received = key.data.receive()
                if received is None:
                    continue
                statuses[received[0]] += 1
                times.append(received[1])
                if time.monotonic() < began + seconds:
                    key.data.send()
                else:
                    waiting -= 1
        elapsed = time.monotonic() - began
        for one in players:
            one.close()
    times.sort()
    return {
        "statuses": statuses,
        "seconds": elapsed,
        "p50": percentile(times, 0.5),
        "p99": percentile(times, 0.99),
        "cpu": time.process_time(),
    }


def main() -> None:
    # Imported here, because `play` also runs where the contract and Kafka's client are not installed.
    from testbed.bench import traffic

    port, connections, seconds, *kind = sys.argv[1:]
    if not kind:
        requests = traffic.single_requests()
    elif kind == ["decided"]:
        requests = traffic.decided_requests()
    else:
        requests = traffic.bulk_requests(int(kind[0]))
    print(json.dumps(play(int(port), int(connections), float(seconds), requests)))


if __name__ == "__main__":
    main()
