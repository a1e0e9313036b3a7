"""Caches, link previews, and pages of other origins."""

import pytest
from game_api import create_app
from game_api.settings import Settings
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog, client_of

PAGE = "https://game.example"
ITEM = '[{"event_type":"default"}]'


def client_allowing(*origins: str) -> tuple[Client, MemoryLog]:
    log = MemoryLog()
    return client_for(create_app(log, cors_origins=frozenset(origins))), log


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("POST", "/purchase_a_sword", 200),
        ("GET", "/purchase_a_sword?x=1", 400),
        ("HEAD", "/purchase_a_sword", 405),
        ("OPTIONS", "/purchase_a_sword", 200),
        ("GET", "/explore", 405),
        ("POST", "/explore", 503),
        ("POST", "/events", 415),
        ("GET", "/nowhere", 404),
        ("GET", "/world", 503),
        ("GET", "/heroes/a", 503),
        ("GET", "/dashboard/data", 503),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
    ],
)
def test_caching_is_forbidden(method: str, path: str, status: int):
    """A response that changes, or whose request has an effect, must not be cached."""
    answer = client_of(MemoryLog()).open(path, method=method)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "no-store")


@pytest.mark.parametrize("path", ["/play", "/dashboard", "/static/play.css"])
def test_pages_may_be_cached(path: str):
    """Pages and their files may be cached, but browsers must check whether they have changed."""
    assert client_of(MemoryLog()).get(path).headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Purpose": "preview"},
        {"X-Moz": "prefetch"},
        {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"User-Agent": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"},
        {"User-Agent": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"},
        {"User-Agent": "TelegramBot (like TwitterBot)"},
        {"User-Agent": "WhatsApp/2.23.20.0"},
    ],
)
def test_prefetches_and_previews_write_nothing(headers: dict[str, str]):
    """A browser's prefetch and a messenger's link preview get a 403 and have no effect."""
    log = MemoryLog()
    client = client_of(log)
    answer = client.get("/purchase_a_sword", headers=headers)
    assert answer.status_code == 403
    assert next(iter(headers)) in answer.text
    assert client.post("/events", data=ITEM, content_type="application/json", headers=headers).status_code == 403
    assert client.get("/play", headers=headers).status_code == 200
    assert not log.records


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/play", "/dashboard", "/openapi.json", "/actions", "/metrics"]
)
def test_head_returns_only_headers(path: str):
    """HEAD of a path without effects is a GET without the body."""
    client = client_of(MemoryLog())
    answer = client.head(path)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.mimetype == client.get(path).mimetype


def test_no_other_origin_is_allowed_by_default():
    """Without the setting, pages of other origins may not use the API."""
    answer = client_of(MemoryLog()).get("/", headers={"Origin": PAGE})
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(("allowed", "answered"), [([PAGE], PAGE), (["https://a.example", PAGE], PAGE), (["*"], "*")])
def test_an_allowed_origin_may_read_answers(allowed: list[str], answered: str):
    """A page of an allowed origin may read any response, including errors, and the headers it needs."""
    client, _ = client_allowing(*allowed)
    for path in ("/", "/nowhere", "/explore"):
        answer = client.get(path, headers={"Origin": PAGE})
        assert answer.headers["Access-Control-Allow-Origin"] == answered
        exposed = "Retry-After, Event-Outcome, Player-Token, RateLimit, RateLimit-Policy"
        assert answer.headers["Access-Control-Expose-Headers"] == exposed
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://game.example.evil.example", "http://game.example", "null"]
)
def test_other_origins_are_not_allowed(origin: str):
    """Origins are compared as a whole, and Vary tells caches that the response depends on them."""
    client, _ = client_allowing(PAGE)
    answer = client.get("/", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"
    assert client.get("/").headers["Vary"] == "Origin"


def test_preflights_have_no_effect():
    """A preflight request returns what a page may send, and writes nothing."""
    client, log = client_allowing(PAGE)
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-player"}
    answer = client.options("/purchase_a_sword", headers=asked)
    assert answer.status_code == 200
    assert {"GET", "POST"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"x-player", "idempotency-key", "content-type", "content-encoding", "authorization"} <= set(allowed)
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert not log.records


@pytest.mark.parametrize(
    ("allowed", "origin", "status"),
    [
        ([PAGE], PAGE, 200),
        (["*"], PAGE, 200),
        ([PAGE], "https://evil.example", 415),
        ([PAGE], None, 415),
        ([], PAGE, 415),
    ],
)
def test_beacons_of_allowed_origins_are_read(allowed: list[str], origin: str | None, status: int):
    """`sendBeacon` sends JSON as text/plain, which is read as JSON if the page may use the API."""
    client, log = client_allowing(*allowed)
    headers = {"Origin": origin} if origin else {}
    answer = client.post("/events", data=ITEM, content_type="text/plain;charset=UTF-8", headers=headers)
    assert answer.status_code == status
    assert len(log.records) == (status == 200)


@pytest.mark.parametrize("setting", ["https://a.example,https://b.example", " https://a.example  https://b.example, "])
def test_origins_are_a_list(setting: str):
    """Origins are separated by commas or spaces."""
    settings = Settings.from_environment({"API_CORS_ORIGINS": setting})
    assert settings.allowed_origins == {"https://a.example", "https://b.example"}
