"""A player, as rows name him."""

import argparse
import json
from dataclasses import dataclass

HIS = "(player = :player OR raw_key = :key OR contains(raw_value, :quoted) OR contains(raw_value, :escaped))"
"""Of a row: it is his. A record that was rejected is, if its key is his name or if it has his name as a JSON string."""

NAMED = f"({HIS} OR target = :player)"
"""Of a row: it is his, or another player's declaration to him."""

COLUMNS = {"player": "STRING", "target": "STRING", "raw_key": "BINARY", "raw_value": "BINARY"}
"""What these two look at."""

_LONGEST = 255

_BOUND = 16
"""Iceberg notes a column's least and greatest value of a file up to this length."""


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
        """Whether the name, cut to that length as it may be, is this least or greatest value of a column."""
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
    # The greatest value that is longer is noted as one that is greater: its last character is the next one.
    least = value[:_BOUND]
    if isinstance(least, bytes):
        return {least, least[:-1] + bytes([min(least[-1] + 1, 255)])}
    next_one = least[:-1] + chr(min(ord(least[-1]) + 1, 0x10FFFF))
    return {least.encode(), next_one.encode(errors="replace")}
