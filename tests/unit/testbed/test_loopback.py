"""Clients do not use a proxy for servers on this machine."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from testbed.settings import HOST

from tests.command import PYTHONPATH

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

PROGRAM = """
import os, sys
import requests
from testbed.stack import probes
print(probes.answers(sys.argv[1]), requests.get(sys.argv[1], timeout=5).status_code, os.environ["no_proxy"])
"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer((HOST, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize(("excepted", "known"), [("", "127.0.0.1,localhost"), ("a.b", "a.b,127.0.0.1,localhost")])
def test_loopback_bypasses_the_environments_proxy(url: str, excepted: str, known: str) -> None:
    """With a dead proxy in the environment, clients connect to this machine, and the user's own exceptions stay."""
    environment = {
        **{name: value for name, value in os.environ.items() if name.lower() != "no_proxy"},
        **dict.fromkeys(PROXIES, f"http://{HOST}:9"),
        **({"NO_PROXY": excepted} if excepted else {}),
        "PYTHONPATH": PYTHONPATH,
    }
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, url], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.stdout == f"True 200 {known}\n", answer.stderr
