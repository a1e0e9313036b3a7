"""The sender of a request: player, stored headers and key."""

import pytest
from game_api.errors import InvalidRequestError
from game_api.origin import origin


def headers_of(**headers: str) -> dict[str, str]:
    """Return headers as a transport does, decoded as latin-1."""
    return {name.replace("_", "-"): value.encode().decode("latin-1") for name, value in headers.items()}


@pytest.mark.parametrize(
    ("host", "player"),
    [
        ("knight1.comcast.com", "knight1.comcast.com"),
        ("Knight1.Comcast.COM:5000", "knight1.comcast.com"),
        ("commanding_officer.comcast.com", "commanding_officer.comcast.com"),
        ("ritter.österreich.example", "ritter.österreich.example"),
        ("127.0.0.1:5000", "127.0.0.1"),
        ("[::1]:5000", "[::1]"),
        ("[::1]", "[::1]"),
        ("knight1:", "knight1"),
        ("knight1.comcast.com.", "knight1.comcast.com"),
        ("Knight1.comcast.com.:80", "knight1.comcast.com"),
        ("ritter.xn--sterreich-z7a.example", "ritter.österreich.example"),
        ("Ritter.XN--STERREICH-Z7A.example:80", "ritter.österreich.example"),
        ("ritter.ÖSTERREICH.example", "ritter.österreich.example"),
        ("ritter.o\u0308sterreich.example", "ritter.österreich.example"),
        ("ritter。example", "ritter.example"),
        ("xn--99999999999", "xn--99999999999"),
    ],
)
def test_the_player_is_the_host(host: str, player: str):
    """The player is the Host header's name, normalised and without the port; the header is stored unchanged."""
    sender = origin(headers_of(host=host))
    assert sender.player == player
    assert sender.headers == {"host": host}


def test_x_player_takes_precedence_over_host():
    """A player named by X-Player is known by the name's normal form; the given name is kept."""
    sender = origin(headers_of(host="api.example:80", x_player="Jeanne d'Arc née Ä"))
    assert (sender.player, sender.player_name) == ("jeanne d'arc née ä", "Jeanne d'Arc née Ä")
    assert origin(headers_of(host="h", x_player="knight1")).player_name == ""
    assert sender.headers["host"] == "api.example:80"


def test_only_three_headers_are_stored():
    """Only the headers Host, User-Agent and Accept are stored in events."""
    sender = origin(
        headers_of(host="h", user_agent="u", accept="*/*", authorization="Bearer s", cookie="c=1", x_real_ip="1")
    )
    assert sender.headers == {"host": "h", "user_agent": "u", "accept": "*/*"}


def test_only_the_beginning_of_a_long_header_is_stored():
    """An event has at most the first 512 characters of a header, in any script."""
    sender = origin(headers_of(host="h", user_agent="ü" * 8192, accept="*/*" + "a" * 600))
    assert sender.headers == {"host": "h", "user_agent": "ü" * 512, "accept": "*/*" + "a" * 509}


def test_an_empty_header_is_not_stored():
    """Events have no empty headers."""
    assert origin(headers_of(host="h", user_agent="", accept="")).headers == {"host": "h"}


@pytest.mark.parametrize(
    ("headers", "header"),
    [
        ({}, "Host"),
        (headers_of(host=":80"), "Host"),
        (headers_of(host="a,b"), "Host"),
        (headers_of(host="h" * 256), "Host"),
        (headers_of(host="h", x_player="knight1,knight2"), "X-Player"),
        (headers_of(host="h", x_player="p" * 256), "X-Player"),
        (headers_of(host="h", x_player="\ufdfa" * 20), "X-Player"),
        (headers_of(host="h", x_player="p\u200b"), "X-Player"),
        (headers_of(host="h", x_player="\u202ep"), "X-Player"),
        (headers_of(host="h", x_player="p\x9b"), "X-Player"),
        (headers_of(host="h", x_player=" "), "X-Player"),
        (headers_of(host="p\u200b"), "Host"),
        (headers_of(host="."), "Host"),
        (headers_of(host="h", idempotency_key="k" * 129), "Idempotency-Key"),
        (headers_of(host="h", idempotency_key="a,a"), "Idempotency-Key"),
        (headers_of(host="h", user_agent="u" * 8193), "User-Agent"),
        (headers_of(host="h", accept="a\tb"), "Accept"),
        ({"host": "h", "user-agent": "caf\xe9"}, "User-Agent"),
        ({"host": "h\xff"}, "Host"),
    ],
)
def test_an_invalid_header_is_named(headers: dict[str, str], header: str):
    """A missing, repeated, overlong or non-UTF-8 header is an error that names it."""
    with pytest.raises(InvalidRequestError, match=f"^{header}: ") as caught:
        origin(headers)
    assert caught.value.field == header
