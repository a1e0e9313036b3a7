"""The players of one erasure, as rows and records name them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from game_events.names import normal

from lake.erasure.texts import texts

COLUMNS = {"player": "STRING", "target": "STRING", "host": "STRING", "raw_key": "BINARY", "raw_value": "BINARY"}
"""The columns that may name a player."""

_BOUND = 16
"""Iceberg stores the lower and upper bound of a column in a file up to this length."""

_PORT = re.compile(r"\.?(:[0-9]*)?$")
"""The end of a Host header that is not part of the name."""

_JAVA_PORT = r"\\.?(:[0-9]*)?$"
_ODD = r"(?i)[^\\x20-\\x7F]|^ |  | $|xn--"
"""A text that may be a spelling of a name although its lower case is not the name; both as literals of Spark's SQL."""


@dataclass(frozen=True)
class Players:
    """All players of one erasure. Each name stands for all of its spellings: those with the same normal form."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return "the player" if len(self.names) == 1 else f"one of the {len(self.names)} players"

    @cached_property
    def normals(self) -> frozenset[str]:
        return frozenset(map(normal, self.names))

    @property
    def both(self) -> frozenset[str]:
        """The names as given and in normal form."""
        return self.normals.union(self.names)

    def is_named(self, text: str | None) -> bool:
        """Whether a text is a name of one of them, in any spelling."""
        return text is not None and normal(text) in self.normals

    def is_host(self, text: str | None) -> bool:
        """Whether a Host header means one of them: with or without a port, in Unicode or Punycode."""
        return text is not None and any(self.is_named(name) for name in _host_names(text))

    def are_in_record(self, key: bytes | None, value: bytes | None) -> bool:
        """Whether a rejected record is of one of them: its key is the name, or a string of its JSON."""
        return any(self.is_host(text) for part in (key, value) if part is not None for text in texts(part))

    def are_in_row(self, row: Mapping[str, Any]) -> bool:
        """Whether a row, of which COLUMNS are given, names one of them."""
        if self.is_named(row["player"]) or self.is_named(row["target"]) or self.is_host(row["host"]):
            return True
        return self.are_in_record(row["raw_key"], row["raw_value"])

    def candidates(self) -> tuple[str, dict[str, str]]:
        """Return a condition on the columns, in Spark's SQL, that every row satisfies that names one of them.

        Most rows that satisfy it do, but Python has to decide. The second part are its parameters.
        """
        parameters = {f"name{number}": name for number, name in enumerate(sorted(self.normals))}
        listed = ", ".join(f":{parameter}" for parameter in parameters)
        conditions = [f"lower({column}) IN ({listed}) OR {column} RLIKE '{_ODD}'" for column in ("player", "target")]
        conditions.append(f"lower(host) IN ({listed}) OR regexp_replace(lower(host), '{_JAVA_PORT}', '') IN ({listed})")
        conditions.append(f"host RLIKE '{_ODD}' OR raw_key IS NOT NULL OR raw_value IS NOT NULL")
        return " OR ".join(conditions), parameters

    @cached_property
    def _cuts(self) -> frozenset[bytes]:
        return frozenset(cut for text in self.both for form in (text, text.encode()) for cut in _cuts(form))

    def may_bound(self, bound: bytes) -> bool:
        """Whether a name, possibly truncated, is this bound of a column."""
        if bound in self._cuts:
            return True
        try:
            text = bound.decode()
        except UnicodeDecodeError:
            return False
        if text.isascii() and text == text.lower() and _PORT.sub("", text) == text:
            return False
        if self.is_host(text) or self.is_named(text.partition(":")[0]):
            return True
        # A truncated upper bound ends with another character than the name.
        beginning = normal(text[: _BOUND - 1])
        return len(text) >= _BOUND and any(one.startswith(beginning) for one in self.normals)


@dataclass
class Spellings:
    """The names and hosts that are the players', exactly as rows have them."""

    names: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)

    def add(self, names: Iterable[str], hosts: Iterable[str]) -> None:
        self.names.update(names)
        self.hosts.update(hosts)


def _host_names(host: str) -> Iterator[str]:
    """Yield the names that a Host header may mean: as the API reads it, and as it is."""
    yield host
    name = _PORT.sub("", normal(host).replace("\u3002", "."))
    yield name
    if "xn--" in name:
        yield ".".join(map(_decoded_label, name.split(".")))


def _decoded_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label.removeprefix("xn--").encode().decode("punycode")
    except UnicodeError:
        return label


def _cuts(value: str | bytes) -> set[bytes]:
    # A truncated upper bound has to be greater than the value: its last character is incremented.
    least = value[:_BOUND]
    if isinstance(least, bytes):
        return {least, least[:-1] + bytes([min(least[-1] + 1, 255)])}
    next_one = least[:-1] + chr(min(ord(least[-1]) + 1, 0x10FFFF))
    return {least.encode(), next_one.encode(errors="replace")}
