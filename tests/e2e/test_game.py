"""The world, through the API's Service: it remembers the players' actions when the store or its pods are lost."""

from typing import Any

import pytest
import requests
from testbed.waiting import wait_until

from tests.e2e.installation import PATIENCE, Installation

pytestmark = pytest.mark.timeout(3600)

_PLAYER = "explorer"
_VALKEY_CLI = 'REDISCLI_AUTH="$STORE_PASSWORD" valkey-cli "$@"'


def explore(installation: Installation) -> bool:
    """Send an action that needs the world; return whether the answer was 200."""
    try:
        headers = {"X-Player": _PLAYER}
        return requests.post(f"{installation.settings.api_url}/explore", headers=headers, timeout=10).status_code == 200
    except requests.RequestException:
        return False


def hero(installation: Installation) -> dict[str, Any] | None:
    """Return the player's state in the world, except what time changes; None while it is unavailable."""
    try:
        answer = requests.get(f"{installation.settings.api_url}/heroes/{_PLAYER}", timeout=10)
    except requests.RequestException:
        return None
    if answer.status_code != 200:
        return None
    return {name: value for name, value in answer.json().items() if name != "stamina"}


@pytest.fixture
def explorer(installation: Installation) -> dict[str, Any]:
    """The state of a player who has explored the world."""
    wait_until("the world", lambda: explore(installation), PATIENCE, pause=1)
    known = hero(installation)
    assert known
    return known


def test_actions_are_remembered(installation: Installation, explorer: dict[str, Any]) -> None:
    """A player who has explored is known, and gains experience by exploring again."""
    assert explorer["known"]
    assert explore(installation)
    again = hero(installation)
    assert again
    assert again["experience"] > explorer["experience"]


def page(url: str) -> tuple[int, str]:
    """Return a page's status and type, once it responds: a forward learns by a connection that its pod has gone."""

    def responds() -> tuple[int, str] | None:
        try:
            answer = requests.get(url, timeout=10)
        except requests.ConnectionError:
            return None
        return answer.status_code, answer.headers["Content-Type"]

    return wait_until(url, responds, PATIENCE)


def test_pages_are_served(installation: Installation) -> None:
    """The game can be opened in a browser, and by the admin port, not by the players', the dashboard."""
    settings = installation.settings
    for url in (f"{settings.api_url}/play", f"{settings.admin_url}/dashboard"):
        assert page(url) == (200, "text/html; charset=utf-8")
    assert page(f"{settings.api_url}/dashboard")[0] == 404


def test_the_dashboard_queries_trino(installation: Installation) -> None:
    """The API's pods reach Trino: every query of the dashboard is answered."""

    def answered() -> object:
        try:
            data = requests.get(f"{installation.settings.admin_url}/dashboard/data", timeout=30).json()
        except (requests.RequestException, ValueError):
            return False
        problems = [query["error"] for query in data["queries"].values() if query["error"] or not query["asked_at"]]
        print(f"unavailable: {data['away']}; not answered: {problems}")
        return data["away"] is None and not problems

    wait_until("the dashboard's answers", answered, PATIENCE, pause=2)


@pytest.mark.parametrize("part", ["store", "world"])
def test_the_world_survives_its_pods(installation: Installation, explorer: dict[str, Any], part: str) -> None:
    """When another pod has taken over, the player has the same state, and can continue."""
    installation.delete_pod(part)
    wait_until("the player", lambda: hero(installation) == explorer, PATIENCE, pause=1)
    wait_until("the world", lambda: explore(installation), PATIENCE, pause=1)


def test_a_lost_world_is_rebuilt(installation: Installation, explorer: dict[str, Any]) -> None:
    """An empty store is filled again from the topic, with nothing missing."""
    store = installation.pod("store")
    installation.cluster.execute(store.name, "sh", "-c", _VALKEY_CLI, "sh", "flushall")
    wait_until("the player", lambda: hero(installation) == explorer, PATIENCE, pause=1)
    wait_until("the world", lambda: explore(installation), PATIENCE, pause=1)


def test_the_store_requires_a_password(installation: Installation) -> None:
    """Without the password the store answers no command, not even in its own pod."""
    store = installation.pod("store")
    answer = installation.cluster.execute(store.name, "valkey-cli", "get", "topic")
    assert "NOAUTH" in answer
