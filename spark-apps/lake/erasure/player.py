"""A player, as rows name them."""

import argparse
import json
from dataclasses import dataclass

OWN = "(player = :player OR raw_key = :key OR contains(raw_value, :quoted) OR contains(raw_value, :escaped))"
"""A row of the player. A rejected record is, if its key is the name or if it contains the name as a JSON string."""

NAMED = f"({OWN} OR target = :player)"
"""A row of the player, or another player's declaration to them."""

COLUMNS = {"player": "STRING", "target": "STRING", "raw_key": "BINARY", "raw_value": "BINARY"}
"""The columns that the two conditions use."""

_LONGEST = 255

_BOUND = 16
"""Iceberg stores the lower and upper bound of a column in a file up to this length."""


@dataclass(frozen=True)
class Player:
    name: str

    @property
    def arguments(self) -> dict[str, str | bytes]:
        """The parameters of the two conditions."""
        return {
            "player": self.name,
            "key": self.name.encode(),
            "quoted": json.dumps(self.name, ensure_ascii=False).encode(),
            "escaped": json.dumps(self.name).encode(),
        }

    def may_bound(self, bound: bytes) -> bool:
        """Whether the name, possibly truncated, is this bound of a column."""
        return bound in {cut for text in (self.name, self.name.encode()) for cut in _cuts(text)}


def player_name(text: str) -> str:
    """Read a player's name, as an argument of a command."""
    if not 0 < len(text) <= _LONGEST:
        raise argparse.ArgumentTypeError(f"expected a name of 1 to {_LONGEST} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("expected a name in UTF-8") from None
    return text


def _cuts(value: str | bytes) -> set[bytes]:
    # A truncated upper bound has to be greater than the value: its last character is incremented.
    least = value[:_BOUND]
    if isinstance(least, bytes):
        return {least, least[:-1] + bytes([min(least[-1] + 1, 255)])}
    next_one = least[:-1] + chr(min(ord(least[-1]) + 1, 0x10FFFF))
    return {least.encode(), next_one.encode(errors="replace")}
