"""Settings of who may play, and as whom."""

from dataclasses import dataclass

from game_settings.reader import FromEnvironment, SettingsError, setting

OPEN = "open"
CLAIMED = "claimed"
TOKEN = "token"  # noqa: S105 a mode
MODES = (OPEN, CLAIMED, TOKEN)


@dataclass(frozen=True)
class IdentitySettings(FromEnvironment):
    # `open`: every name is believed. `claimed`: the first use of a name returns a token, and the name is
    # then its holder's. `token`: every request needs a token.
    mode: str = setting("API_PLAYERS", OPEN, choices=MODES)

    # The identity provider's public keys, in mode `token`: a file or a URL; empty: the service's own tokens.
    jwks: str = setting("API_JWKS", "")
    jwks_refresh_seconds: int = setting("API_JWKS_REFRESH_SECONDS", 300, least=1)
    issuer: str = setting("API_TOKEN_ISSUER", "")
    audience: str = setting("API_TOKEN_AUDIENCE", "")

    # A file with the secrets of the service's own tokens: the first one signs, all are accepted.
    token_secrets: str = setting("API_TOKEN_SECRETS", "")
    # How long these tokens are valid, and a name that was used again is kept.
    token_days: int = setting("API_TOKEN_DAYS", 365, least=1, most=3650)

    # A file with the digests of ingestion keys; empty: there are none.
    ingestion_keys: str = setting("API_KEYS", "")

    # A file with the names of players from whom nothing more is accepted; empty: there are none.
    suppressed: str = setting("API_SUPPRESSED", "")

    # Limits of an address's requests without a valid credential, and of an ingestion key's events: a second, and at
    # once. 0 is no limit.
    anonymous_rate: int = setting("API_ANONYMOUS_RATE", 20)
    anonymous_burst: int = setting("API_ANONYMOUS_BURST", 400)
    key_rate: int = setting("API_KEY_RATE", 2_000)
    key_burst: int = setting("API_KEY_BURST", 40_000)
    # Names that an address may claim in an hour; 0 is no limit.
    claims_per_hour: int = setting("API_CLAIMS_PER_HOUR", 60)

    def __post_init__(self) -> None:
        if self.mode == OPEN:
            return
        if self.mode == CLAIMED and self.jwks:
            raise SettingsError("API_JWKS: expected none with API_PLAYERS=claimed, where this service makes the tokens")
        if self.jwks:
            for name, value in (("API_TOKEN_ISSUER", self.issuer), ("API_TOKEN_AUDIENCE", self.audience)):
                if not value:
                    raise SettingsError(f"{name}: expected a value with API_JWKS, got none")
        elif not self.token_secrets:
            raise SettingsError(
                f"API_TOKEN_SECRETS: expected a file with API_PLAYERS={self.mode} and no API_JWKS, got none; "
                "`python -m game_api.identity secret` makes its content"
            )

    @property
    def is_open(self) -> bool:
        return self.mode == OPEN
