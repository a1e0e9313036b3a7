"""The trace of a request, in the headers of its records."""

import json

import pytest
from game_api.trace_context import trace_headers

from tests.unit.game_api.memory_log import MemoryLog, client_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("given", "carried"),
    [
        (PARENT, PARENT),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"00-{TRACE}-{SPAN}-ff", f"00-{TRACE}-{SPAN}-03"),
        (f"cc-{TRACE}-{SPAN}-01", PARENT),
        (f"cc-{TRACE}-{SPAN}-01-more", PARENT),
        (f"cc-{TRACE}-{SPAN}-01.more", None),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"00-{TRACE}-{SPAN}-01-", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (PARENT.upper(), None),
        (f" {PARENT}", None),
        (f"{PARENT}\n", None),
        (f"{PARENT},{PARENT}", None),
        (f"00-{TRACE[1:]}-{SPAN}-01", None),
        ("", None),
    ],
)
def test_only_a_valid_parent_is_carried(given: str, carried: str | None):
    """An invalid traceparent is ignored, and a later version is carried as version 00."""
    expected = [("traceparent", carried.encode())] if carried else []
    assert list(trace_headers({"traceparent": given})) == expected


@pytest.mark.parametrize(
    ("given", "carried"),
    [
        ("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        ("a=1 , ,b=2", "a=1,b=2"),
        ("fw529a3039@dt=FfAAA", "fw529a3039@dt=FfAAA"),
        ("a=1,a=2", None),
        ("A=1", None),
        ("a", None),
        ("a=", None),
        ("a=b=c", None),
        ("a=\x7f", None),
        ("a=é", None),
        (",".join(f"k{number}=1" for number in range(33)), None),
        ("a=" + "x" * 257, None),
        (",".join(f"k{number}={'x' * 200}" for number in range(3)), None),
        ("", None),
    ],
)
def test_only_a_valid_state_is_carried(given: str, carried: str | None):
    """An invalid or long tracestate is dropped, and the traceparent stays."""
    expected = [("traceparent", PARENT.encode())] + ([("tracestate", carried.encode())] if carried else [])
    assert list(trace_headers({"traceparent": PARENT, "tracestate": given})) == expected


def test_a_state_alone_is_ignored():
    """Without a valid traceparent there are no headers, whatever else the sender says."""
    assert not trace_headers({"tracestate": "a=1", "baggage": "b=2"})


@pytest.mark.parametrize("path", ["/", "/events", "/v1/actions/default", "/v1/events"])
def test_records_carry_the_trace(path: str):
    """Single and bulk requests of both versions carry it, and no other header."""
    log = MemoryLog()
    headers = {"traceparent": PARENT, "tracestate": "a=1", "baggage": "b=2", "Content-Type": "application/json"}
    body = json.dumps([{"event_type": "default"}] if path.endswith("/events") else {})
    assert client_of(log).post(path, data=body, headers=headers).status_code == 200
    assert log.headers == [("traceparent", PARENT.encode()), ("tracestate", b"a=1")]
    assert client_of(log).post(path, data=body, headers={"Content-Type": "application/json"}).status_code == 200
    assert log.headers == []
