"""The load generator: keep-alive connections in a closed loop, for a bounded time.

It runs as a process of its own, so that its CPU time is not the server's: `python -m testbed.bench.load PORT
CONNECTIONS SECONDS [BULK_SIZE | decided | healthz]` prints JSON. After an answer with Retry-After, a
connection waits that long before its next request. Every NEW_KEY in a request becomes a key that no other request has.
"""

import heapq
import json
import re
import selectors
import socket
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from itertools import count, cycle
from typing import Any, NamedTuple

# Only the standard library: `make kind-bench` runs this file alone, in a pod.
HOST = "127.0.0.1"

PATIENCE = 60.0
"""Seconds to wait for the last answers, which may queue before a slow broker."""

NEW_KEY = "00000000-0000-4000-8000-000000000000"
"""Stands for a key in a request; a key has its length, so the request's Content-Length stays right."""

_NEW_KEY = NEW_KEY.encode()
_RUN = str(uuid.uuid4())[:24].encode()
_NUMBERS = count()

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_RETRY = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)


class Answer(NamedTuple):
    """`retry_after` is in seconds."""

    status: int
    closes: bool
    retry_after: int = 0


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
    retry = _RETRY.search(head)
    return Answer(int(head.split(b" ", 2)[1]), bool(_CLOSE.search(head)), int(retry[1]) if retry else 0)


def with_keys(request: bytes) -> bytes:
    """Return the request with a new key for each NEW_KEY."""
    first, *rest = request.split(_NEW_KEY)
    return b"".join([first, *(b"%b%012x%b" % (_RUN, next(_NUMBERS), part) for part in rest)])


class Player:
    """One connection, which is reopened whenever the server closes it."""

    def __init__(self, port: int, selector: selectors.BaseSelector, requests: Iterator[bytes]) -> None:
        self._port = port
        self._selector = selector
        self._requests = requests
        self._socket: socket.socket | None = None
        self._received = b""
        self._began = 0.0
        self._waits = False

    def send(self) -> None:
        self._began = time.perf_counter()
        if self._socket is None:
            self._socket = socket.create_connection((HOST, self._port), timeout=PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._received = b""
        self._waits = True
        self._socket.sendall(with_keys(next(self._requests)))

    def receive(self) -> tuple[Answer, float] | None:
        """Return an answer and its seconds, or None while it is incomplete."""
        assert self._socket is not None  # noqa: S101 for the type checker
        part = self._socket.recv(262_144)
        if not part and not self._waits:
            # The server closed an idle connection.
            self.close()
            return None
        if not part:
            raise ConnectionError(f"closed before the answer was complete: {self._received!r}")
        self._received += part
        answer = parse(self._received)
        if not answer:
            return None
        seconds = time.perf_counter() - self._began
        self._waits = False
        if answer.closes:
            self.close()
        return answer, seconds

    def close(self) -> None:
        if self._socket:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None


def play(port: int, connections: int, seconds: float, requests: list[bytes]) -> dict[str, Any]:
    """Return how long all took, this process's CPU seconds, and by status the microseconds of each answer."""
    microseconds: dict[int, list[int]] = defaultdict(list)
    resting: list[tuple[float, int, Player]] = []
    tie_breaker = count()
    with selectors.DefaultSelector() as selector:
        players = [Player(port, selector, cycle(requests[start:] + requests[:start])) for start in range(connections)]
        began = time.monotonic()
        end = began + seconds
        for one in players:
            one.send()
        waiting = connections
        while waiting:
            if time.monotonic() > end + PATIENCE:
                raise TimeoutError(f"{waiting} requests had no answer {PATIENCE:.0f} s after the end")
            pause = max(0, min(resting[0][0], end) - time.monotonic()) if resting else 1
            for key, _ in selector.select(min(pause, 1)):
                received = key.data.receive()
                if received is None:
                    continue
                answer, taken = received
                microseconds[answer.status].append(round(taken * 1e6))
                now = time.monotonic()
                if now >= end:
                    waiting -= 1
                elif answer.retry_after:
                    heapq.heappush(resting, (now + answer.retry_after, next(tie_breaker), key.data))
                else:
                    key.data.send()
            now = time.monotonic()
            while resting and (now >= end or resting[0][0] <= now):
                _, _, player = heapq.heappop(resting)
                if now < end:
                    player.send()
                else:
                    waiting -= 1
        elapsed = time.monotonic() - began
        for one in players:
            one.close()
    return {"seconds": elapsed, "cpu": time.process_time(), "microseconds": microseconds}


def main() -> None:
    # Imported here, because `play` also runs where the contract and Kafka's client are not installed.
    from testbed.bench import traffic

    port, connections, seconds, *kind = sys.argv[1:]
    if not kind:
        requests = traffic.single_requests()
    elif kind == ["decided"]:
        requests = traffic.decided_requests()
    elif kind == ["healthz"]:
        requests = traffic.health_requests()
    else:
        requests = traffic.bulk_requests(int(kind[0]))
    print(json.dumps(play(int(port), int(connections), float(seconds), requests)))


if __name__ == "__main__":
    main()
