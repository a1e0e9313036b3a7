"""The game's page and its endpoints, without servers."""

import re
from collections import Counter

import pytest
from game_api import create_app
from game_events import EVENT_TYPES
from game_events.chance import Normal, Uniform
from game_world import views
from game_world.limits import Limit
from game_world.store import Store
from game_world.world import World
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog, client_of

SWORD = {"event_type": "purchase_sword", "player": "knight1", "received_at": 1_700_000_000_000}


@pytest.fixture
def client() -> Client:
    """A client of a service without a world."""
    return client_of(MemoryLog())


def test_the_page_is_served_with_its_headers(client: Client) -> None:
    """The page is served even without a world, and allows only its own files to run."""
    page = client.get("/play")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    policy = page.headers["Content-Security-Policy"]
    assert (
        policy
        == "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert client.head("/play").status_code == 200


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("play.css", "text/css"),
        ("play.js", "text/javascript"),
        ("play-icons.svg", "image/svg+xml"),
        ("game-client.js", "text/javascript"),
    ],
)
def test_its_files_are_served(client: Client, file: str, kind: str) -> None:
    """A file has its content type."""
    answer = client.get(f"/static/{file}")
    assert (answer.status_code, answer.mimetype) == (200, kind)


@pytest.mark.parametrize("file", ["play.js", "game-client.js"])
def test_what_its_modules_import_is_served(client: Client, file: str) -> None:
    """Every module that a module imports is served, and so are those that these import."""
    seen = {file}
    waiting = [file]
    while waiting:
        answer = client.get(f"/static/{waiting.pop()}")
        assert answer.status_code == 200
        imported = set(re.findall(r'^import .+ from "\./(.+)";$', answer.text, re.MULTILINE)) - seen
        seen |= imported
        waiting += imported
    assert len(seen) > 1


def test_the_sdk_is_cached_until_it_changes(client: Client) -> None:
    """A browser that has the module asks whether it has changed, and does not load it again."""
    tag = client.get("/static/game-client.js").headers["ETag"]
    assert client.get("/static/game-client.js", headers={"If-None-Match": tag}).status_code == 304


def test_reports_are_off_at_first(client: Client) -> None:
    """The page offers to report what a player looks at, unchecked and with a label."""
    [box] = re.findall(r'<label id="reports"[^>]*>\s*<input ([^>]*)>\s*\w', client.get("/play").text)
    assert "checkbox" in box
    assert "checked" not in box


@pytest.mark.parametrize("path", ["/static/nothing.js", "/static/..%2fpage.py", "/static/%2e%2e/page.py", "/static/"])
def test_other_files_are_not_served(client: Client, path: str) -> None:
    """Files outside the folder are not served."""
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/world", "/heroes/knight1"])
def test_without_a_world_its_endpoints_are_unavailable(client: Client, path: str) -> None:
    """Without a world the response is 503 with Retry-After."""
    answer = client.get(path)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize("path", ["/world", "/world?after=1-0", "/heroes/knight1"])
def test_without_its_store_the_world_is_unavailable(path: str) -> None:
    """While the store is unavailable, the response is 503."""
    world = World(Store("redis://127.0.0.1:1"), Limit(0, 0), Limit(0, 0))
    client = client_for(create_app(MemoryLog(), world))
    assert [client.get(path).status_code for _ in range(2)] == [503, 503]


@pytest.mark.parametrize("after", ["1", "1-", "-1", "1-0-0", "1-x", "(1-0", "+", "1-0\n", "٣-٣", f"{10**19}-0"])
def test_an_invalid_feed_id_is_refused(client: Client, after: str) -> None:
    """An invalid id of a feed entry is refused before it gets to the store; the error names the field."""
    answer = client.get("/world", query_string={"after": after}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["field"]) == (400, "after")


@pytest.mark.parametrize("name", ["x" * 256, "a%09b"])
def test_an_invalid_name_is_refused(client: Client, name: str) -> None:
    """The name of a hero must be a valid player name."""
    answer = client.get(f"/heroes/{name}", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["field"]) == (400, "name")


def test_names_may_have_slashes(client: Client) -> None:
    """The rest of the path is the name: the request is routed, and fails only because there is no world."""
    for name in ("a%2Fb", "%2Fa", "a%2F", "%2F%2F", "%C3%A9", "%3Cb%3E"):
        assert client.get(f"/heroes/{name}").status_code == 503


def test_the_actions_are_those_of_the_catalog(client: Client) -> None:
    """Every action of the game is listed exactly once, in its family, with its path and parameters."""
    actions = {name: each for name, each in EVENT_TYPES.items() if not each.is_report}
    families = client.get("/actions").json["families"]
    listed = [(one["family"], action) for one in families for action in one["actions"]]
    assert Counter(action["name"] for _, action in listed) == Counter(list(actions))
    assert [one["family"] for one in families] == list(dict.fromkeys(one.family for one in actions.values()))
    for family, action in listed:
        event_type = EVENT_TYPES[action["name"]]
        assert (family, action["path"]) == (event_type.family, event_type.request)
        assert [one["name"] for one in action["parameters"]] == [field.name for field in event_type.parameters]
        assert len(action["needs"]) == len(event_type.preconditions + event_type.in_v1)


def test_chance_is_described(client: Client) -> None:
    """Every distribution of the catalog is described with its action."""
    described = {
        action["name"]: " ".join(action["chance"])
        for one in client.get("/actions").json["families"]
        for action in one["actions"]
    }
    for name, event_type in EVENT_TYPES.items():
        if event_type.is_report:
            continue
        for distribution in event_type.draws.values():
            assert str(distribution) in described[name]
        for result in event_type.results:
            for change in result.changes:
                if isinstance(change.amount, Normal | Uniform):
                    assert str(change.amount) in described[name]
            assert result.loot is None or str(result.loot) in described[name]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"strength": 7}, "Sword Purchased! (strength: 7)"),
        ({"event_type": "declare_war", "target": "knight2"}, "War Declared! (target: knight2)"),
        ({"event_type": "declare_war"}, "War Declared!"),
        ({"event_type": "duel", "target": "{gold}", "won": True, "gold": 10}, "You beat {gold} and take 10 gold."),
        ({"event_type": "duel", "target": "knight2", "won": False}, "knight2 beats you."),
        ({"event_type": "duel"}, "duel"),
        ({"event_type": "tame_dragon"}, "tame dragon"),
    ],
)
def test_an_event_as_a_sentence(changes: dict[str, object], expected: str) -> None:
    """An event is shown as its answer and the type's other fields, even if the event lacks some of them."""
    assert views.sentence({**SWORD, **changes}) == expected
