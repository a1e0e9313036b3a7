"""The first line and headers of a request: usual ones are read as gunicorn's parser reads them."""

import pytest
from game_api.front import head
from game_api.front.head import CHUNKED, Head, parse
from gunicorn.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

PEER = ("127.0.0.1", 1)

_LINES = st.sampled_from(
    [
        b"GET / HTTP/1.1",
        b"POST /a/b%20c?d=e%3f&f HTTP/1.0",
        b"HEAD //a HTTP/1.1",
        b"GET /a#b HTTP/1.1",
        b"GET http://a/b?c HTTP/1.1",
        b"get / HTTP/1.1",
        b"GET /\xe9 HTTP/1.1",
        b"GET / HTTP/2.0",
        b"GET  / HTTP/1.1",
    ]
)
_NAMES = st.sampled_from(
    [
        b"Host",
        b"hOST",
        b"X-Player",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Expect",
        b"Connection",
        b"X_Y",
        b"A B",
        b"",
    ]
)
_VALUES = st.sampled_from(
    [
        b"a",
        b" 5 ",
        b"",
        b"-1",
        b"+1",
        b"1_0",
        b"chunked",
        b"close",
        b"keep-alive, x",
        b"100-continue",
        b"\xe9",
        b"a\x00b",
    ]
)
_HEADS = st.builds(
    lambda line, fields: b"\r\n".join([line, *(name + b":" + value for name, value in fields), b"", b""]),
    _LINES,
    st.lists(st.tuples(_NAMES, _VALUES), max_size=4),
)


def read(data: bytes) -> Head | type[Exception]:
    try:
        return parse(data, Config(), PEER)
    except Exception as error:
        return type(error)


@given(_HEADS)
@settings(max_examples=500, deadline=None)
def test_both_ways_are_the_same(data: bytes) -> None:
    """For any head, the quick way gives what gunicorn's parser gives."""
    quick = read(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head, "_USUAL_SIZE", 0)
        careful = read(data)
    assert quick == careful


def test_bodies_are_announced() -> None:
    """A body has a length or comes in chunks, and a client may wait before it sends it."""
    chunked = read(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
    assert isinstance(chunked, Head)
    assert (chunked.length, chunked.expects, chunked.keeps_alive) == (CHUNKED, True, True)
    sized = read(b"POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 17\r\n\r\n")
    assert isinstance(sized, Head)
    assert (sized.length, sized.expects, sized.keeps_alive) == (17, False, False)
