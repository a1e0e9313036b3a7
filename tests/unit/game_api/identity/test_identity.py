"""Who a request is from, in each mode."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from game_api.identity.caller import ANYONE, EVENTS_WRITE, PLAY, PLAYERS_ANY, Caller
from game_api.identity.credentials import refusal_headers
from game_api.identity.errors import ForbiddenError, UnauthorizedError
from game_api.identity.identity import Identity, Sender
from game_api.identity.ingestion_keys import digest, new_key
from game_api.identity.player_tokens import PlayerTokens, new_secret
from game_api.identity.settings import IdentitySettings
from game_api.identity.token_cache import TokenCache
from game_settings.reader import SettingsError

from tests.unit.game_api.identity.provider import AUDIENCE, ISSUER, Key, key_set, write

KEY = Key("one")
PAGE = {"host": "game.example", "origin": "http://game.example"}
OTHER_PAGE = {"host": "game.example", "origin": "http://evil.example"}


class MemoryClaims:
    """Claims in memory."""

    def __init__(self) -> None:
        self.times: dict[str, int] = {}
        self.confirmations = 0

    async def claim(self, player: str, address: str) -> int | None:
        if player in self.times:
            return None
        self.times[player] = 1000 + len(self.times)
        return self.times[player]

    async def confirm(self, player: str, claimed_at: int, seconds: int) -> bool:
        self.confirmations += 1
        if self.times.get(player, claimed_at) < claimed_at:
            return False
        self.times[player] = claimed_at
        return True


@pytest.fixture
def claims() -> MemoryClaims:
    return MemoryClaims()


@pytest.fixture
def secrets(tmp_path: Path) -> str:
    return write(tmp_path / "secrets", new_secret())


@pytest.fixture
def claimed(secrets: str, claims: MemoryClaims) -> Identity:
    return Identity(IdentitySettings(mode="claimed", token_secrets=secrets), claims)


@pytest.fixture
def provided(tmp_path: Path) -> Identity:
    """An identity by a provider's tokens and ingestion keys."""
    jwks = write(tmp_path / "jwks.json", key_set(KEY))
    return Identity(IdentitySettings(mode="token", jwks=jwks, issuer=ISSUER, audience=AUDIENCE))


def bearer(token: str, named: str = "", **headers: str) -> Sender:
    return Sender({"authorization": f"Bearer {token}", **headers}, "192.0.2.1", named)


def identify(identity: Identity, sender: Sender, scope: str) -> Caller:
    return asyncio.run(identity.identify(sender, scope))


def first(identity: Identity, name: str, headers: Mapping[str, str] | None = None, https: bool = False) -> Any:  # noqa: ANN401
    """Use a name for the first time; return the response's headers."""
    sender = Sender(headers or {}, "192.0.2.1", name, https)
    return dict(identity.response_headers(sender, identify(identity, sender, PLAY)))


def test_open_believes_everyone() -> None:
    """In mode open every caller may do everything, and credentials of other services do not matter."""
    identity = Identity.open()
    for sender in (Sender({}), bearer("s3cret"), Sender({"authorization": "Basic eDp5"})):
        assert identify(identity, sender, PLAY) == ANYONE
        assert PLAYERS_ANY in identify(identity, sender, EVENTS_WRITE).scopes


def test_the_first_use_of_a_name_returns_a_token(claimed: Identity) -> None:
    """The token is for the next requests; without it the name is taken, with another's it is forbidden."""
    ada = first(claimed, "ada")["Player-Token"]
    bob = first(claimed, "bob")["Player-Token"]
    assert identify(claimed, bearer(ada), PLAY).player == "ada"
    assert identify(claimed, bearer(ada, "ada"), PLAY).player == "ada"
    assert identify(claimed, bearer(ada), PLAY).issued == ""
    with pytest.raises(UnauthorizedError, match="X-Player: the name is taken"):
        first(claimed, "ada")
    with pytest.raises(ForbiddenError, match="X-Player: expected the name that the credential is for"):
        identify(claimed, bearer(bob, "ada"), PLAY)


def test_a_name_in_host_claims_nothing(claimed: Identity, claims: MemoryClaims) -> None:
    """Only X-Player claims a name: pages of other sites cannot send that header."""
    with pytest.raises(UnauthorizedError, match="or a new name in X-Player"):
        identify(claimed, Sender({"host": "ada"}), PLAY)
    assert claims.times == {}


@pytest.mark.parametrize(
    "authorization", ["Basic eDp5", "Bearer", "Bearer ", "bearer a b", "Bearer a,b", "x", "Bearer é"]
)
def test_another_authorization_is_refused(claimed: Identity, claims: MemoryClaims, authorization: str) -> None:
    """A client that shows a credential is never treated as one without."""
    with pytest.raises(UnauthorizedError, match="Authorization: expected `Bearer TOKEN`"):
        identify(claimed, Sender({"authorization": authorization}, named="ada"), PLAY)
    assert claims.times == {}


def test_the_earliest_claim_holds(claimed: Identity, claims: MemoryClaims) -> None:
    """After the store has lost a claim, its token makes it again, and a later claim of the name no longer counts."""
    ada = first(claimed, "ada")["Player-Token"]
    claims.times = {"someone": 1}
    squatter = first(claimed, "ada")["Player-Token"]
    assert identify(claimed, bearer(ada), PLAY).player == "ada"
    assert claims.times["ada"] == 1000
    with pytest.raises(UnauthorizedError, match="the name was claimed earlier by another"):
        identify(claimed, bearer(squatter), PLAY)


def test_a_verified_token_is_not_verified_again(claimed: Identity, claims: MemoryClaims) -> None:
    """The store is asked once for many requests with a token."""
    ada = first(claimed, "ada")["Player-Token"]
    for _ in range(10):
        identify(claimed, bearer(ada), PLAY)
    assert claims.confirmations == 1


def test_a_page_gets_a_cookie(claimed: Identity) -> None:
    """A page of this service gets the token in a cookie that scripts cannot read, and is known by it."""
    cookie = first(claimed, "ada", PAGE)["Set-Cookie"]
    value, *attributes = cookie.split("; ")
    assert value.startswith("player=gp1.")
    assert attributes == ["Path=/", "Max-Age=31536000", "HttpOnly", "SameSite=Lax"]
    for headers in (PAGE, {"host": "game.example"}):
        assert identify(claimed, Sender({**headers, "cookie": f"a=b; {value}"}), PLAY).player == "ada"
    for headers in (OTHER_PAGE, PAGE | {"origin": "null"}, PAGE | {"origin": ""}):
        with pytest.raises(UnauthorizedError):
            identify(claimed, Sender({**headers, "cookie": value}), PLAY)


def test_the_cookie_is_secure_behind_https(claimed: Identity) -> None:
    """With https the cookie is sent with https only, and another one is not accepted."""
    page = {"host": "game.example", "origin": "https://game.example"}
    value, *attributes = first(claimed, "ada", page, https=True)["Set-Cookie"].split("; ")
    assert value.startswith("__Host-player=gp1.")
    assert "Secure" in attributes
    assert identify(claimed, Sender({**page, "cookie": value}, is_https=True), PLAY).player == "ada"
    plain = value.removeprefix("__Host-")
    with pytest.raises(UnauthorizedError):
        identify(claimed, Sender({**page, "cookie": plain}, is_https=True), PLAY)


def test_a_cookie_that_is_not_accepted_is_deleted(claimed: Identity) -> None:
    """A page cannot delete the cookie itself: the 401 does so, and says how to authenticate."""
    sender = Sender({**PAGE, "cookie": "player=gp1.bad.bad"})
    with pytest.raises(UnauthorizedError) as caught:
        identify(claimed, sender, PLAY)
    assert refusal_headers(caught.value, is_https=False) == {
        "WWW-Authenticate": "Bearer",
        "Set-Cookie": "player=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
    }


def test_a_token_is_renewed(secrets: str, claims: MemoryClaims) -> None:
    """After half of its time a token is replaced, in the way in which it came, and the claim stays the same."""
    identity = Identity(IdentitySettings(mode="claimed", token_secrets=secrets, token_days=10), claims)
    old = PlayerTokens(secrets, 10, lambda: time.time() - 6 * 86400).issue("ada", 5)
    caller = identify(identity, bearer(old), PLAY)
    assert identity.response_headers(bearer(old), caller) == [("Player-Token", caller.issued)]
    tokens = PlayerTokens(secrets, 10)
    assert tokens.verify(caller.issued).claimed_at == 5
    sender = Sender({"cookie": f"player={old}"})
    [(name, _)] = identity.response_headers(sender, identify(identity, sender, PLAY))
    assert name == "Set-Cookie"


def test_token_needs_a_token(provided: Identity) -> None:
    """In mode token nobody is anybody without a token of the provider."""
    assert identify(provided, bearer(KEY.token()), PLAY).player == "ada"
    for sender in (Sender({}, named="ada"), Sender(PAGE, named="ada"), bearer(Key("one").token(), "ada")):
        with pytest.raises(UnauthorizedError):
            identify(provided, sender, PLAY)
    with pytest.raises(ForbiddenError, match="X-Player"):
        identify(provided, bearer(KEY.token(), "bob"), PLAY)


def test_a_providers_token_is_verified_once_until_it_expires(tmp_path: Path) -> None:
    """A token stays known until it expires or its key is withdrawn."""
    jwks = tmp_path / "jwks.json"
    write(jwks, key_set(KEY))
    identity = Identity(IdentitySettings(mode="token", jwks=str(jwks), issuer=ISSUER, audience=AUDIENCE))
    token = KEY.token()
    identify(identity, bearer(token), PLAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jwt.decode", lambda *_, **__: pytest.fail("verified again"))
        identify(identity, bearer(token), PLAY)
    write(jwks, key_set(Key("two")))
    with pytest.raises(UnauthorizedError, match="the token's key is unknown"):
        identify(identity, bearer(Key("unknown").token()), PLAY)
    with pytest.raises(UnauthorizedError, match="the token's key is unknown"):
        identify(identity, bearer(token), PLAY)


def test_without_a_provider_the_operator_hands_out_tokens(secrets: str) -> None:
    """In mode token without a provider the service's own tokens count, and no name can be claimed."""
    identity = Identity(IdentitySettings(mode="token", token_secrets=secrets))
    assert identify(identity, bearer(PlayerTokens(secrets, 1).issue("ada", -5)), PLAY).player == "ada"
    with pytest.raises(UnauthorizedError):
        identify(identity, Sender({}, named="bob"), PLAY)


def test_an_operators_token_recovers_a_name(claimed: Identity, secrets: str) -> None:
    """A token from the command line is accepted in mode claimed, and ends the one that was lost."""
    lost = first(claimed, "ada")["Player-Token"]
    issued = PlayerTokens(secrets, 1).issue("ada", -int(time.time() * 1000))
    assert identify(claimed, bearer(issued), PLAY).player == "ada"
    with pytest.raises(UnauthorizedError, match="claimed earlier"):
        identify(claimed, bearer(lost), PLAY)


def test_a_key_is_for_bulk_requests_only(tmp_path: Path, secrets: str, claims: MemoryClaims) -> None:
    """A key has only its scopes: it does not play, and writes events only with `events:write`."""
    writer, nothing = new_key(), new_key()
    keys = write(
        tmp_path / "keys",
        f"loader {digest(writer)} events:write,players:any\nidle {digest(nothing)} players:any\n",
    )
    settings = IdentitySettings(mode="claimed", token_secrets=secrets, ingestion_keys=keys)
    identity = Identity(settings, claims)
    assert identify(identity, bearer(writer, "bob"), EVENTS_WRITE).key == "loader"
    with pytest.raises(ForbiddenError, match="Authorization: expected a credential with the scope play"):
        identify(identity, bearer(writer), PLAY)
    with pytest.raises(ForbiddenError, match="scope events:write"):
        identify(identity, bearer(nothing), EVENTS_WRITE)
    with pytest.raises(UnauthorizedError, match="Authorization: the ingestion key is unknown"):
        identify(identity, bearer(new_key()), EVENTS_WRITE)
    with pytest.raises(UnauthorizedError):
        identify(identity, Sender({"cookie": f"player={writer}"}), EVENTS_WRITE)


def test_nothing_secret_is_shown(claimed: Identity, provided: Identity, caplog: pytest.LogCaptureFixture) -> None:
    """Neither logs, errors nor the representations of objects contain a credential."""
    caplog.set_level(logging.DEBUG)
    caller = identify(claimed, Sender({}, named="ada"), PLAY)
    assert caller.issued not in repr(caller)
    for identity, token in ((claimed, caller.issued + "x"), (provided, KEY.token(aud="other"))):
        with pytest.raises(UnauthorizedError) as caught:
            identify(identity, bearer(token), PLAY)
        assert token not in repr(caught.value) + caplog.text
    assert caller.issued not in caplog.text


def test_the_cache_is_bounded() -> None:
    """Beyond its bound the first tokens go; expired ones are not returned, nor those of other keys."""
    now = [0.0]
    cache: TokenCache[str] = TokenCache(3, lambda: now[0])
    for number in range(5):
        cache.add(f"token{number}", "ada", 10, 0)
    assert len(cache) == 3
    assert [cache.get(f"token{number}", 0) for number in range(5)] == [None, None, "ada", "ada", "ada"]
    now[0] = 10
    assert cache.get("token4", 0) is None
    now[0] = 0
    assert cache.get("token4", 1) is None
    assert len(cache) == 0


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"API_PLAYERS": "all"}, "API_PLAYERS: expected one of open, claimed, token, got 'all'"),
        ({"API_PLAYERS": "claimed"}, "API_TOKEN_SECRETS: expected a file with API_PLAYERS=claimed"),
        ({"API_PLAYERS": "claimed", "API_JWKS": "x"}, "API_JWKS: expected none with API_PLAYERS=claimed"),
        ({"API_PLAYERS": "token"}, "API_TOKEN_SECRETS: expected a file with API_PLAYERS=token"),
        ({"API_PLAYERS": "token", "API_JWKS": "x"}, "API_TOKEN_ISSUER: expected a value with API_JWKS"),
        (
            {"API_PLAYERS": "token", "API_JWKS": "x", "API_TOKEN_ISSUER": "i"},
            "API_TOKEN_AUDIENCE: expected a value with API_JWKS",
        ),
    ],
)
def test_settings_that_would_let_nobody_or_everybody_in(environment: dict[str, str], expected: str) -> None:
    """Modes that lack what they need stop the start, and the setting is named."""
    with pytest.raises(SettingsError, match=expected):
        IdentitySettings.from_environment(environment)


def test_claims_need_the_world(secrets: str) -> None:
    """Without a world's store nobody could claim a name: the service does not start."""
    with pytest.raises(SettingsError, match="WORLD_URL: expected a value with API_PLAYERS=claimed"):
        Identity(replace(IdentitySettings(), mode="claimed", token_secrets=secrets))
