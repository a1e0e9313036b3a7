"""Request ids: every response has one, and the log names it."""

import io
import json
import logging

import pytest
from game_api import create_app
from game_settings.logs import LogSettings, formatter

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog, client_of

HEADER = "X-Request-Id"
IDS = ["a", "7f3c9d", "0190a5c2-6d2e-7c1a-bb1c-1f0e7c9a2b11", "Root=1-67891233-abcdef012345678912345678", "x" * 128]


@pytest.mark.parametrize("given", IDS)
@pytest.mark.parametrize("path", ["/", "/nowhere", "/explore", "/play", "/healthz"])
def test_a_valid_id_is_kept(path: str, given: str) -> None:
    """The response has the id that the client or a proxy sent, whatever its status."""
    assert client_of(MemoryLog()).get(path, headers={HEADER: given}).headers[HEADER] == given


@pytest.mark.parametrize("given", [None, "", "x" * 129, "a b", 'a"b', "a,b", "\u00e9", "\u0663"])
def test_otherwise_an_id_is_drawn(given: str | None) -> None:
    """Without a valid id each response gets a new one, which tells nothing of what was sent."""
    headers = {} if given is None else {HEADER: given.encode().decode("latin-1")}
    client = client_of(MemoryLog())
    drawn = {client.get("/healthz", headers=headers).headers[HEADER] for _ in range(20)}
    assert len(drawn) == 20
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in drawn)


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
