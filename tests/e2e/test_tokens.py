"""The API in mode token: players have tokens of an identity provider."""

import json
import uuid
from collections.abc import Iterator

import pytest
import requests
from game_api.log.event_log import Outcome
from lake.settings import EVENTS
from testbed.cluster.cluster import RELEASE
from testbed.cluster.deployment import CHART, VALUES, await_ready
from testbed.cluster.progress import Progress
from testbed.simulator.players import Players
from testbed.waiting import wait_until

from tests.e2e.identity_provider import VALUES as TOKEN_VALUES
from tests.e2e.identity_provider import IdentityProvider, identity_provider
from tests.e2e.installation import PATIENCE, SELECTORS, Installation

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def provider(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    """The provider whose tokens the API demands; the usual mode is back afterwards."""
    values = tmp_path_factory.mktemp("helm") / "token.yaml"
    values.write_text(json.dumps(TOKEN_VALUES))
    revision = installation.revision()
    with identity_provider(installation.cluster) as provider:
        try:
            change(installation, "token", "upgrade", RELEASE, CHART, *VALUES, "--values", values)
            wait_until("the keys", lambda: has_keys(installation, provider), PATIENCE, pause=1)
            yield provider
        finally:
            if installation.revision() != revision:
                change(installation, "open", "rollback", RELEASE, revision)


def change(installation: Installation, mode: str, *command: object) -> None:
    """Run a Helm command that changes the mode, and wait until no pod of the API has another one."""
    old = {pod.uid for pod in installation.pods("api")}
    cluster = installation.cluster
    cluster.helm(*map(str, command))
    await_ready(cluster, Progress())
    # Pods that are terminating still answer.
    cluster.api.wait(
        "Pod",
        lambda pods: old.isdisjoint(pod["metadata"]["uid"] for pod in pods),
        PATIENCE,
        selector=SELECTORS["api"],
    )
    wait_until(f"mode {mode}", lambda: mode_of(installation) == mode, PATIENCE, pause=1)


def mode_of(installation: Installation) -> str:
    """Return how the API knows players; "" while it does not answer."""
    try:
        return str(requests.get(f"{installation.settings.api_url}/actions", timeout=10).json()["players"])
    except (requests.RequestException, ValueError):
        return ""


def has_keys(installation: Installation, provider: IdentityProvider) -> bool:
    """Tell whether a few requests, which several workers answer, accept the provider's tokens."""
    try:
        return all(act(installation, provider.token("tristan")).status_code == 200 for _ in range(10))
    except requests.RequestException:
        return False


def act(installation: Installation, token: str = "", **headers: str) -> requests.Response:
    """Buy a sword over version 1."""
    credentials = {"Authorization": f"Bearer {token}"} if token else {}
    given = {"Idempotency-Key": str(uuid.uuid4()), **credentials, **headers}
    return requests.post(f"{installation.settings.api_url}/v1/actions/purchase_sword", headers=given, timeout=10)


def test_a_token_is_needed(installation: Installation, provider: IdentityProvider) -> None:
    """Without a token, or with one that another key signed, nobody plays, over the old path neither."""
    answers = [act(installation, **{"X-Player": "tristan"}), act(installation, IdentityProvider().token("tristan"))]
    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == 2 * [
        (401, "/v1/problems/unauthorized")
    ]
    old = f"{installation.settings.api_url}/purchase_a_sword"
    assert requests.post(old, headers={"X-Player": "tristan"}, timeout=10).status_code == 401
    assert requests.get(old, headers={"X-Player": "tristan"}, timeout=10).status_code == 405


def test_another_players_name_is_forbidden(installation: Installation, provider: IdentityProvider) -> None:
    """A token is for one name only."""
    answer = act(installation, provider.token("tristan"), **{"X-Player": "isolde"})
    assert (answer.status_code, answer.json()["type"]) == (403, "/v1/problems/forbidden")


def test_the_row_is_the_tokens_players(installation: Installation, provider: IdentityProvider) -> None:
    """An event that was sent with a token becomes a row of the token's player."""
    token = provider.token("Isolde")
    credentials = {"Authorization": f"Bearer {token}"}
    me = requests.get(f"{installation.settings.api_url}/v1/me", headers=credentials, timeout=10).json()
    assert (me["player"], me["mode"], me["proven"]) == ("isolde", "token", True)
    answer = act(installation, token).json()
    query = (
        f"SELECT player, event_type, event_id FROM {EVENTS} "
        f"WHERE kafka_partition = {answer['partition']} AND kafka_offset = {answer['offset']}"
    )
    row = wait_until("the row", lambda: installation.ask(query), PATIENCE, pause=1)
    assert row == [["isolde", "purchase_sword", answer["event_id"]]]


def test_players_with_tokens(installation: Installation, provider: IdentityProvider) -> None:
    """Each simulated player has a token: no request is refused but by the rules, and the ledger finds no difference."""
    with Players(installation.settings, rate=20, seconds=10, seed=14, retries=20, issue=provider.token) as players:
        assert players.over(300)
    tally = players.tally
    assert tally.events[Outcome.ACKED] > 20
    assert tally.events.total() == tally.events[Outcome.ACKED]
    assert installation.differences() == {}
