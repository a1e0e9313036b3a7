"""The SDK for Python: delivers each event of a game once, by the rules of docs/client.md.

It needs the standard library alone.
"""

from game_client.client import Client
from game_client.drops import Dropped, Reason
from game_client.errors import ClientError, ForkedError, InvalidEventError, OtherPlayerError, QueueInUseError

__all__ = [
    "Client",
    "ClientError",
    "Dropped",
    "ForkedError",
    "InvalidEventError",
    "OtherPlayerError",
    "QueueInUseError",
    "Reason",
]
