"""Who sends a request, by the mode, the request's credential and the name that it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import time
from typing import NamedTuple, Protocol, Self

from game_settings.reader import SettingsError

from game_api.identity import ingestion_keys, player_tokens
from game_api.identity.caller import ANYONE, PLAYER_SCOPES, Caller
from game_api.identity.credentials import AUTHORIZATION, COOKIE, Credential, credential, handed_out
from game_api.identity.errors import ForbiddenError, KeysUnavailableError, UnauthorizedError
from game_api.identity.ingestion_keys import IngestionKeys
from game_api.identity.jwks import KeySetFile, KeySetUrl
from game_api.identity.player_tokens import Claim, PlayerTokens
from game_api.identity.provider_tokens import ProviderTokens
from game_api.identity.settings import CLAIMED, OPEN, IdentitySettings
from game_api.identity.suppression import REFUSAL, Suppression
from game_api.identity.token_cache import TokenCache

NAME_HEADER = "X-Player"

_CONFIRMED_SECONDS = 60.0
"""So long after the store has confirmed a claim it is not asked again."""


class Sender(NamedTuple):
    """What is known of a request, whatever transports it."""

    headers: Mapping[str, str]
    """By names in lower case: at least `authorization`, `cookie`, `origin` and `host`, where the request has them."""
    address: str = ""
    named: str = ""
    """The normal form of the name in X-Player."""
    is_https: bool = False


class Claims(Protocol):
    """Who has claimed which name: `game_world.claims`, or a test's."""

    async def claim(self, player: str, address: str) -> int | None:
        """Claim a name: return the time of the claim in milliseconds, or None if the name is taken."""

    async def confirm(self, player: str, claimed_at: int, seconds: int) -> bool:
        """Keep a claim for so long; return False if an earlier one holds."""


@dataclass(frozen=True, slots=True)
class _Holder:
    """What a player's token proves."""

    player: str
    claim: Claim | None = None


class Identity:
    """Says who the caller is. `claims` are needed in mode `claimed` only; raises SettingsError for invalid files."""

    def __init__(self, settings: IdentitySettings, claims: Claims | None = None) -> None:
        self.settings = settings
        self.mode = settings.mode
        self.is_open = settings.is_open
        self.suppression = Suppression(settings.suppressed)
        self._claims = claims
        self._provider = None
        self._tokens = None
        self._keys = None
        self._verified: TokenCache[_Holder] = TokenCache()
        if self.is_open:
            return
        if self.mode == CLAIMED and claims is None:
            raise SettingsError(
                "WORLD_URL: expected a value with API_PLAYERS=claimed: claims are kept in the world's store"
            )
        if settings.jwks:
            self._provider = ProviderTokens(_key_set(settings), settings.issuer, settings.audience)
        else:
            self._tokens = PlayerTokens(settings.token_secrets, settings.token_days)
        if settings.ingestion_keys:
            self._keys = IngestionKeys(settings.ingestion_keys)

    @classmethod
    def open(cls) -> Self:
        return cls(IdentitySettings(mode=OPEN))

    def start(self) -> None:
        """Begin to read the identity provider's keys, after the fork and before the first request."""
        if self._provider and isinstance(self._provider.keys, KeySetUrl):
            self._provider.keys.start()

    async def identify(self, sender: Sender, scope: str) -> Caller:
        """Return the caller, who has this scope.

        Raises UnauthorizedError, ForbiddenError, KeysUnavailableError; in mode `claimed` also what `claims` raise.
        """
        if self.is_open:
            return ANYONE
        given = credential(sender.headers, sender.is_https)
        if given is None:
            return await self._newcomer(sender)
        caller = await self._caller(given)
        if scope not in caller.scopes:
            raise ForbiddenError(given.field, f"expected a credential with the scope {scope}")
        return _named(caller, sender)

    async def known(self, sender: Sender) -> Caller:
        """Return the caller, whatever their scopes; never claims a name. Raises what `identify` raises."""
        if self.is_open:
            return ANYONE
        given = credential(sender.headers, sender.is_https)
        if given is None:
            raise UnauthorizedError(AUTHORIZATION, "expected `Bearer TOKEN`, got none")
        return _named(await self._caller(given), sender)

    async def subject(self, sender: Sender) -> Caller | None:
        """Return the caller if a valid credential says who it is; never claims a name."""
        try:
            given = None if self.is_open else credential(sender.headers, sender.is_https)
            return await self._caller(given) if given else None
        except (UnauthorizedError, KeysUnavailableError):
            return None

    def response_headers(self, sender: Sender, caller: Caller) -> list[tuple[str, str]]:
        """Return the headers to add to the response for a caller who is given a token."""
        if not caller.issued:
            return []
        return [handed_out(caller.issued, self.settings.token_days * 86400, sender.headers, sender.is_https)]

    async def _newcomer(self, sender: Sender) -> Caller:
        """Let a caller without a credential claim the name that they give."""
        if self._claims is None or self._tokens is None or self.mode != CLAIMED:
            raise UnauthorizedError(AUTHORIZATION, "expected `Bearer TOKEN`, got none")
        # A page of another site could make a browser claim the name in the Host header.
        if not sender.named:
            raise UnauthorizedError(AUTHORIZATION, f"expected `Bearer TOKEN`, or a new name in {NAME_HEADER}; got none")
        if sender.named in self.suppression.names():
            raise ForbiddenError(NAME_HEADER, REFUSAL)
        claimed_at = await self._claims.claim(sender.named, sender.address)
        if claimed_at is None:
            raise UnauthorizedError(NAME_HEADER, "the name is taken: expected the token that its first use returned")
        return Caller(sender.named, PLAYER_SCOPES, issued=self._tokens.issue(sender.named, claimed_at))

    async def _caller(self, given: Credential) -> Caller:
        if given.token.startswith(ingestion_keys.PREFIX):
            if self._keys is None or given.field == COOKIE:
                raise UnauthorizedError(given.field, "the ingestion key is unknown")
            return self._keys.verify(given.token)
        try:
            holder = await self._holder(given.token)
        except UnauthorizedError as error:
            raise UnauthorizedError(given.field, error.problem) from None
        caller = Caller(holder.player, PLAYER_SCOPES)
        if self._tokens and holder.claim and self._tokens.is_due(holder.claim):
            return replace(caller, issued=self._tokens.issue(holder.player, holder.claim.claimed_at))
        return caller

    async def _holder(self, token: str) -> _Holder:
        version = self._version()
        if found := self._verified.get(token, version):
            return found
        if self._provider:
            player, expires = self._provider.verify(token)
            self._verified.add(token, holder := _Holder(player), expires, version)
            return holder
        return await self._verify_own(token, version)

    async def _verify_own(self, token: str, version: int) -> _Holder:
        if self._tokens is None or not token.startswith(player_tokens.PREFIX):
            raise UnauthorizedError(AUTHORIZATION, "the token is malformed")
        claim = self._tokens.verify(token)
        expires = claim.expires
        if self.mode == CLAIMED and self._claims:
            if not await self._claims.confirm(claim.player, claim.claimed_at, self._tokens.seconds):
                raise UnauthorizedError(AUTHORIZATION, "the name was claimed earlier by another")
            expires = min(expires, time() + _CONFIRMED_SECONDS)
        holder = _Holder(claim.player, claim)
        self._verified.add(token, holder, expires, version)
        return holder

    def _version(self) -> int:
        if self._provider:
            return self._provider.keys.version
        return self._tokens.version if self._tokens else 0


def _named(caller: Caller, sender: Sender) -> Caller:
    """Return the caller; raise ForbiddenError if the request names another player than the credential."""
    if caller.player and sender.named not in ("", caller.player):
        raise ForbiddenError(NAME_HEADER, "expected the name that the credential is for, or none")
    return caller


def _key_set(settings: IdentitySettings) -> KeySetFile | KeySetUrl:
    if "://" in settings.jwks:
        return KeySetUrl(settings.jwks, settings.jwks_refresh_seconds)
    return KeySetFile(str(Path(settings.jwks)))
