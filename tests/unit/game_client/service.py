"""A service that answers as a test says, and remembers what it received."""

import gzip
import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Reply(NamedTuple):
    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = {}


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    items: list[dict[str, Any]]
    bytes: int


Answer = Callable[[list[dict[str, Any]]], Reply | None]
"""What to reply to items; None closes the connection without a response."""


def accept(items: list[dict[str, Any]]) -> Reply:
    return Reply(200, {"results": [{"status": 200, "event_id": item["event_id"]} for item in items]})


def lose(items: list[dict[str, Any]]) -> None:
    return None


def refuse(status: int, headers: Mapping[str, str] | None = None, **problem: str) -> Answer:
    """Answer any request with a problem."""
    return lambda items: Reply(status, problem, headers or {})


class Service:
    """Gives the answers in `script`, one a request, and then `usual`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.script: list[Answer] = []
        self.usual: Answer = accept
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                items = json.loads(body)
                service.received.append(Received(self.path, dict(self.headers), items, len(body)))
                reply = (service.script.pop(0) if service.script else service.usual)(items)
                if reply is None:
                    self.close_connection = True
                    return
                text = json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 the base class names it
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of all requests."""
        return [item for request in self.received for item in request.items]
