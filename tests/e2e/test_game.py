"""The world, by the API's Service: what players did is remembered, whatever becomes of the store and its pods."""

from typing import Any

import pytest
import requests
from testbed.waiting import wait_until

from tests.e2e.installation import PATIENCE, Installation

pytestmark = pytest.mark.timeout(3600)

_PLAYER = "explorer"
_ASK = 'REDISCLI_AUTH="$STORE_PASSWORD" valkey-cli "$@"'


def explore(installation: Installation) -> bool:
    """Whether the player's exploring, which depends on the world, was answered 200."""
    try:
        headers = {"X-Player": _PLAYER}
        return requests.post(f"{installation.settings.api_url}/explore", headers=headers, timeout=10).status_code == 200
    except requests.RequestException:
        return False


def hero(installation: Installation) -> dict[str, Any] | None:
    """What the world knows of the player; None while it cannot tell."""
    try:
        answer = requests.get(f"{installation.settings.api_url}/heroes/{_PLAYER}", timeout=10)
    except requests.RequestException:
        return None
    return dict(answer.json()) if answer.status_code == 200 else None


@pytest.fixture
def explorer(installation: Installation) -> dict[str, Any]:
    """What the world knows of a player who has explored it."""
    wait_until("the world", lambda: explore(installation), PATIENCE, pause=1)
    known = hero(installation)
    assert known
    return known


def test_what_a_player_did_is_remembered(installation: Installation, explorer: dict[str, Any]) -> None:
    """Who has explored is known, and has more experience when he has explored again."""
    assert explorer["known"]
    assert explore(installation)
    again = hero(installation)
    assert again
    assert again["experience"] > explorer["experience"]


@pytest.mark.parametrize("path", ["/play", "/dashboard"])
def test_pages_are_served(installation: Installation, path: str) -> None:
    """The game and the dashboard can be opened in a browser."""
    answer = requests.get(installation.settings.api_url + path, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_the_dashboard_asks_trino(installation: Installation) -> None:
    """The API's pods reach Trino: the dashboard's questions are answered."""

    def answered() -> object:
        data = requests.get(f"{installation.settings.api_url}/dashboard/data", timeout=30).json()
        problems = [query["error"] for query in data["queries"].values() if query["error"] or not query["asked_at"]]
        print(f"away: {data['away']}; not answered: {problems}")
        return data["away"] is None and not problems

    wait_until("the dashboard's answers", answered, PATIENCE, pause=2)


@pytest.mark.parametrize("part", ["store", "world"])
def test_the_world_outlives_its_pods(installation: Installation, explorer: dict[str, Any], part: str) -> None:
    """When another pod has taken over, the player has what he had, and can go on."""
    installation.delete_pod(part)
    wait_until("the player", lambda: hero(installation) == explorer, PATIENCE, pause=1)
    wait_until("the world", lambda: explore(installation), PATIENCE, pause=1)


def test_a_world_that_is_lost_is_rebuilt(installation: Installation, explorer: dict[str, Any]) -> None:
    """A store that has become empty is filled from the topic: nobody has lost anything."""
    [store] = installation.pods("store")
    installation.cluster.kubectl("exec", store.name, "--", "sh", "-c", _ASK, "sh", "flushall")
    wait_until("the player", lambda: hero(installation) == explorer, PATIENCE, pause=1)
    wait_until("the world", lambda: explore(installation), PATIENCE, pause=1)


def test_the_store_asks_who_its_clients_are(installation: Installation) -> None:
    """Without the password nothing is answered, from the pod itself as from others."""
    [store] = installation.pods("store")
    said = installation.cluster.kubectl("exec", store.name, "--", "valkey-cli", "get", "topic")
    assert "NOAUTH" in said
