"""Settings of Trino's clients."""

from dataclasses import dataclass

from game_settings.reader import FromEnvironment, SettingsError, setting


@dataclass(frozen=True)
class TrinoSettings(FromEnvironment):
    """How clients connect. Without a password they only name a user, which a Trino without login believes."""

    # Empty: there is no Trino.
    url: str = setting("TRINO_URL", "", pattern=r"https?://.+", expected="http://… or https://…")
    password: str = setting("TRINO_PASSWORD", "", secret=True)
    # A file of certificates in PEM; by default the system's are trusted.
    ca_location: str = setting("TRINO_CA_LOCATION", "")

    def __post_init__(self) -> None:
        if self.password and self.url and not self.url.startswith("https://"):
            raise SettingsError(f"TRINO_URL: expected https://… with TRINO_PASSWORD, got {self.url!r}")
