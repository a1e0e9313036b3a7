"""The first line and headers of a request: usual ones are read as gunicorn's parser reads them."""

import pytest
from game_api.front import head
from game_api.front.head import CHUNKED, Head, parse
from gunicorn.config import Config
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

PEER = ("127.0.0.1", 1)

_USUAL_LINES = [
    b"GET / HTTP/1.1",
    b"POST /a/b%20c?d=e%3f&f HTTP/1.0",
    b"HEAD //a HTTP/1.1",
    b"PUT /a?b?c HTTP/1.1",
    b"DELETE /? HTTP/1.0",
    b"OPTIONS /%C3%A9;x HTTP/1.1",
]
_UNUSUAL_LINES = [
    b"GET /a#b HTTP/1.1",
    b"GET /a?b#c HTTP/1.1",
    b"GET http://a/b?c HTTP/1.1",
    b"get / HTTP/1.1",
    b"GET /\xe9 HTTP/1.1",
    b"GET /%E9 HTTP/1.1",
    b"GET / HTTP/2.0",
    b"GET  / HTTP/1.1",
]
_USUAL_FIELDS = [
    b"Host: a",
    b"hOST:a",
    b"X-Player: \xc3\xa9\t",
    b"X-Player: \xa0a\xa0",
    b"Accept:",
    b"Content-Length: 5 ",
    b"Content-Length: 05",
    b"Connection: close",
    b"Connection: keep-alive, x",
    b"Connection: x , CLOSE",
]
_NAMES = [b"Host", b"Content-Length", b"Transfer-Encoding", b"Expect", b"Connection", b"X_Y", b"A B", b""]
_VALUES = [
    b"a",
    b" 5 ",
    b"",
    b"-1",
    b"+1",
    b"1_0",
    b"\xb2",
    b"9999999999",
    b"chunked",
    b"100-continue",
    b"a\x00b",
    b"a\x0bb",
]
_UNUSUAL_FIELDS = st.builds(lambda name, value: name + b":" + value, st.sampled_from(_NAMES), st.sampled_from(_VALUES))


def _often(usual: SearchStrategy[bytes], unusual: SearchStrategy[bytes]) -> SearchStrategy[bytes]:
    """Seven of eight are usual: what is wrong with one part hides how the others are read."""
    return st.integers(0, 7).flatmap(lambda number: usual if number else unusual)


_HEADS = st.builds(
    lambda line, fields: b"\r\n".join([line, *fields, b"", b""]),
    _often(st.sampled_from(_USUAL_LINES), st.sampled_from(_UNUSUAL_LINES)),
    st.lists(_often(st.sampled_from(_USUAL_FIELDS), _UNUSUAL_FIELDS), max_size=4),
)


def read(data: bytes) -> Head | type[Exception]:
    try:
        return parse(data, Config(), PEER)
    except Exception as error:
        return type(error)


@given(_HEADS)
@example(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xb2\r\n\r\n")
@example(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
@settings(max_examples=500)
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


@pytest.mark.parametrize(
    ("version", "connection", "keeps_alive"),
    [
        (b"1.1", b"", True),
        (b"1.0", b"", False),
        (b"1.1", b"close", False),
        (b"1.1", b"x , CLOSE", False),
        (b"1.1", b"closed", True),
        (b"1.0", b"x, Keep-Alive", True),
        (b"1.0", b"keep-alive, close", False),
    ],
)
def test_a_client_says_whether_it_keeps_the_connection(version: bytes, connection: bytes, keeps_alive: bool) -> None:
    """A connection is kept since HTTP/1.1 unless its client closes it, and before that if its client asks for it."""
    field = b"Connection: " + connection + b"\r\n" if connection else b""
    found = read(b"GET / HTTP/" + version + b"\r\nHost: a\r\n" + field + b"\r\n")
    assert isinstance(found, Head)
    assert found.keeps_alive is keeps_alive
