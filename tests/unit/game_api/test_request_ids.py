"""Request ids: every response has one, and the log names it."""

import io
import json
import logging
import os
import re

import pytest
from game_api import create_app
from game_api.request_ids import request_id
from game_settings.logs import LogSettings, formatter
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog, client_of

HEADER = "X-Request-Id"
IDS = ["a", "7f3c9d", "0190a5c2-6d2e-7c1a-bb1c-1f0e7c9a2b11", "Root=1-67891233-abcdef012345678912345678", "x" * 128]


@pytest.fixture(scope="module")
def client() -> Client:
    return client_of(MemoryLog())


@pytest.mark.parametrize("given", IDS)
def test_a_valid_id_is_kept(client: Client, given: str) -> None:
    """The response has the id that the client or a proxy sent, whatever its status."""
    for path in ("/", "/nowhere", "/explore", "/play", "/healthz"):
        assert client.get(path, headers={HEADER: given}).headers[HEADER] == given


@pytest.mark.parametrize("given", [None, "", "x" * 129, "a b", 'a"b', "a,b", "\u00e9", "\u0663"])
def test_otherwise_an_id_is_drawn(client: Client, given: str | None) -> None:
    """Without a valid id each response gets a new one, which has nothing of what was sent."""
    headers = {} if given is None else {HEADER: given.encode().decode("latin-1")}
    drawn = {client.get("/healthz", headers=headers).headers[HEADER] for _ in range(20)}
    assert len(drawn) == 20
    assert all(re.fullmatch("[0-9a-f]{12}-[0-9]+", one) for one in drawn)


def test_processes_draw_different_ids() -> None:
    """A worker does not repeat the ids of another one."""
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, request_id({}).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100).decode() != request_id({})


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_failed_request_is_found_in_the_log(form: str) -> None:
    """The log line of an error names the request, and its traceback follows."""

    class BrokenLog(MemoryLog):
        def is_reachable(self) -> bool:
            raise OSError("broken")

    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(formatter(LogSettings(format=form)))
    logger = logging.getLogger("game_api")
    logger.addHandler(handler)
    try:
        answer = client_for(create_app(BrokenLog())).get("/", headers={HEADER: "mine-1"})
    finally:
        logger.removeHandler(handler)
    assert answer.status_code == 500
    assert "OSError: broken" in text.getvalue()
    first = text.getvalue().splitlines()[0]
    if form == "json":
        assert json.loads(first)["request_id"] == "mine-1"
    else:
        assert first.endswith("the request failed (request mine-1)")
