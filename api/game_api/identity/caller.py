"""The caller: who sends a request, and what they may do."""

from dataclasses import dataclass, field

PLAY = "play"
"""The scope of single actions. Players have it, ingestion keys never."""
EVENTS_WRITE = "events:write"
"""The scope of `POST /events`. Players have it for themselves."""
PLAYERS_ANY = "players:any"
"""The scope of events of any player, with the values of chance that the sender chose."""

PLAYER_SCOPES = frozenset({PLAY, EVENTS_WRITE})
KEY_SCOPES = frozenset({EVENTS_WRITE, PLAYERS_ANY})
"""The scopes that an ingestion key may have."""


@dataclass(frozen=True, slots=True)
class Caller:
    player: str
    """The normal form of the name; "" for a key that writes for any player: the request's headers name the player."""
    scopes: frozenset[str]
    key: str = ""
    """The name of the ingestion key, if the caller has one."""
    issued: str = field(default="", repr=False)
    """A token that the response hands to the client."""


ANYONE = Caller("", PLAYER_SCOPES | KEY_SCOPES)
"""The caller where names are not proven."""
