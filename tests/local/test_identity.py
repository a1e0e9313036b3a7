"""Players who prove who they are: the running API in the modes claimed and token."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from game_api.identity.ingestion_keys import digest, new_key
from game_api.identity.player_tokens import new_secret
from game_world.store import Store, key
from testbed.waiting import wait_until

from tests.local.game import Answer, Game
from tests.unit.game_api.identity.provider import AUDIENCE, ISSUER, Key, key_set, settled, write

PROVIDER = Key("one")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("identity")


@pytest.fixture(scope="module")
def loader() -> str:
    """An ingestion key for any player."""
    return new_key()


@pytest.fixture(scope="module")
def claimed(game: Game, folder: Path, loader: str) -> Iterator[Game]:
    """The game in mode claimed."""
    secrets = write(folder / "secrets", new_secret())
    keys = write(folder / "keys", f"loader {digest(loader)} events:write,players:any\n")
    with game.another_api(
        API_PLAYERS="claimed",
        API_TOKEN_SECRETS=secrets,
        API_KEYS=keys,
        API_CLAIMS_PER_HOUR="100",
        API_ANONYMOUS_RATE="1",
        API_ANONYMOUS_BURST="30",
        API_KEY_RATE="1",
        API_KEY_BURST="500",
        LOG_LEVEL="DEBUG",
    ):
        yield game


@pytest.fixture
def store(game: Game) -> Iterator[Store]:
    """The world's store, in which nobody has used up their limits."""
    store = Store(game.settings.store_url)
    forget_limits(store)
    yield store
    forget_limits(store)


def forget_limits(store: Store) -> None:
    if limits := list(store.redis.scan_iter(key("limit:*"))):
        store.redis.unlink(*limits)


def act(game: Game, path: str = "/purchase_a_sword", token: str = "", **headers: str) -> Answer:
    """Send an action with this token."""
    given = {"Authorization": f"Bearer {token}"} if token else {}
    return game.ask(path, "POST", headers={**given, **{name.replace("_", "-"): text for name, text in headers.items()}})


def token_of(answer: Answer) -> str:
    return answer.headers["Player-Token"]


def test_of_many_first_uses_one_has_the_name(claimed: Game, store: Store):
    """Requests of many clients at once, over all workers: one plays, and for the others the name is taken."""
    answers = claimed.ask_at_once("/purchase_a_sword", 20, method="POST", headers={"X-Player": "rush"})
    assert sorted(answer.status for answer in answers) == [200] + 19 * [401]
    [winner] = [answer for answer in answers if answer.status == 200]
    assert act(claimed, "/join_a_guild", token_of(winner)).status == 200
    assert act(claimed, token=token_of(winner), X_Player="Rush").status == 200
    events = [event for event in claimed.events() if event["player"] == "rush"]
    assert len(events) == 3


def test_a_lost_claim_comes_back(claimed: Game, store: Store):
    """After the store has lost a claim, its holder's token beats a claim that another client made meanwhile."""
    mine = token_of(act(claimed, X_Player="phoenix"))
    store.redis.unlink(key("claim:phoenix"))
    theirs = token_of(act(claimed, X_Player="phoenix"))
    assert theirs != mine
    assert act(claimed, token=mine).status == 200
    answer = act(claimed, token=theirs)
    assert (answer.status, answer.json["error"]) == (401, "Authorization: the name was claimed earlier by another")


def test_version_1_knows_its_caller(claimed: Game, store: Store):
    """`/v1/me` shows the holder of a token with their hero, claims no name, and says what is wrong as a problem."""
    first = claimed.ask(
        "/v1/actions/explore", "POST", json={}, headers={"X-Player": "Mona", "Idempotency-Key": "mona-1"}
    )
    mine = {"Authorization": f"Bearer {token_of(first)}"}
    me = claimed.ask("/v1/me", headers=mine).json
    assert (me["player"], me["mode"], me["proven"]) == ("mona", "claimed", True)
    assert me["hero"]["known"]
    wait_until("the receipt", lambda: claimed.ask("/v1/events/mona-1", headers=mine).json["kafka"].get("records"))
    for headers in ({}, {"X-Player": "lisa"}, {"X-Player": "mona"}):
        answer = claimed.ask("/v1/me", headers=headers)
        assert (answer.status, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert claimed.ask("/v1/events/mona-1", headers={**mine, "X-Player": "lisa"}).status == 403


def test_a_page_plays_by_its_cookie(claimed: Game, store: Store):
    """A browser that claims a name on the API's page is known by its cookie, and another site's page is not."""
    page = {"Host": "game.example", "X_Player": "browser"}
    first = act(claimed, Origin="http://game.example", **page)
    cookie, *attributes = first.headers["Set-Cookie"].split("; ")
    assert (first.status, "Player-Token" in first.headers, "HttpOnly" in attributes) == (200, False, True)
    assert act(claimed, Origin="http://game.example", Cookie=cookie, **page).status == 200
    assert act(claimed, Origin="http://evil.example", Cookie=cookie, **page).status == 401
    assert act(claimed, Host="game.example", Origin="http://evil.example", Cookie=cookie).status == 401
    assert claimed.ask("/purchase_a_sword", headers={"Cookie": cookie}).status == 405


def test_limits_are_lower_without_a_token(claimed: Game, store: Store):
    """An address without a token reads little; a player at the same address goes on."""
    token = token_of(act(claimed, X_Player="reader"))
    forget_limits(store)
    anonymous = Counter(answer.status for answer in claimed.ask_at_once("/world", 60))
    assert anonymous.keys() == {200, 429}
    assert anonymous[200] >= 30
    forged = claimed.ask_at_once("/world", 10, headers={"Authorization": "Bearer forged"})
    assert 429 in {answer.status for answer in forged}
    with_token = [claimed.ask("/world", headers={"Authorization": f"Bearer {token}"}).status for _ in range(40)]
    assert with_token == 40 * [200]


def test_wrong_tokens_are_limited(claimed: Game, store: Store):
    """Attempts with wrong tokens use up the address's lower limit."""
    statuses = [act(claimed, token=f"gp1.forged.{number}").status for number in range(60)]
    assert statuses[:30] == 30 * [401]
    assert 429 in statuses


def test_a_key_has_a_limit_of_its_own(claimed: Game, store: Store, loader: str):
    """Events of an ingestion key count against the key, whichever players they name."""

    def load(number: int) -> Answer:
        items = [{"event_type": "default", "player": f"loaded{number}-{one}"} for one in range(400)]
        return claimed.ask("/events", "POST", json=items, headers={"Authorization": f"Bearer {loader}"})

    answers = [load(number) for number in range(4)]
    assert answers[0].status == 200
    limited = [answer for answer in answers if answer.status == 429]
    assert limited
    assert limited[0].json["field"] == "key"


def test_secrets_are_rotated(claimed: Game, store: Store, folder: Path):
    """Every worker accepts a new secret as soon as one signs with it; old tokens stay valid and are replaced."""
    before = token_of(act(claimed, X_Player="before"))
    old = (folder / "secrets").read_text().strip()
    path = write(folder / "secrets", f"{new_secret()}\n{old}\n")
    settled(path)

    def signed_with_it() -> bool:
        tokens.append(token_of(act(claimed, X_Player=f"after-{len(tokens)}")))
        return tokens[-1][:16] != before[:16]

    tokens: list[str] = []
    # Each probe takes a token of the address.
    wait_until("the new secret", signed_with_it, pause=1)
    assert [act(claimed, token=tokens[-1]).status for _ in range(12)] == 12 * [200]
    again = [act(claimed, token=before) for _ in range(12)]
    assert [answer.status for answer in again] == 12 * [200]
    assert tokens[-1][:16] in {token_of(answer)[:16] for answer in again if "Player-Token" in answer.headers}


def test_nothing_secret_is_logged(claimed: Game, store: Store):
    """The API's log contains no token, whatever happened."""
    token = token_of(act(claimed, X_Player="quiet"))
    act(claimed, token=token)
    act(claimed, token=token + "x")
    log = "\n".join(path.read_text(errors="replace") for path in claimed.settings.data.rglob("api*.log"))
    assert log
    assert not re.search(r"gp1\.\w{8}|gk1_", log)


def test_a_provider_and_its_new_keys(game: Game, folder: Path):
    """In mode token a token of the provider plays; a rotated key works at once, and the old one no longer."""
    jwks, new = folder / "jwks.json", Key("two")
    write(jwks, key_set(PROVIDER))
    with game.another_api(
        API_PLAYERS="token", API_JWKS=str(jwks), API_TOKEN_ISSUER=ISSUER, API_TOKEN_AUDIENCE=AUDIENCE
    ):
        old_token, new_token = PROVIDER.token(sub="Provided"), new.token(sub="provided")
        assert act(game, token=old_token).status == 200
        assert act(game, X_Player="provided").status == 401
        assert act(game, token=new_token).json["error"] == "Authorization: the token's key is unknown"
        write(jwks, key_set(new))
        assert act(game, token=new_token).status == 200
        wait_until("the old key to go", lambda: act(game, token=old_token).status == 401)
    assert {event["player"] for event in game.events() if "provided" in event["player"]} == {"provided"}
