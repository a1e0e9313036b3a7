"""Experiments: which variant of the game each player sees.

A player's variant follows from the experiment's name and the player alone, so that every client, and SQL, can compute
it. The first four bytes of the SHA-256 of `NAME:PLAYER` in UTF-8, as an unsigned number, modulo BUCKETS are the
player's bucket; PLAYER is the normal form of the name. The variants have the buckets from 0 on, in the order of their
declaration, each as many as its weight.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

BUCKETS = 10_000

_NAME = re.compile("[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class Experiment:
    """It runs until it has a `winner`, the variant that all players see from then on.

    `variants` maps their names to their weights: how many of the BUCKETS each has.
    """

    name: str
    description: str
    variants: Mapping[str, int]
    winner: str = ""

    def __post_init__(self) -> None:
        for name in (self.name, *self.variants):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r}: expected at most 64 lowercase letters, digits and _, a letter first")
        weights = [*self.variants.values()]
        if any(weight < 0 for weight in weights) or sum(weights) != BUCKETS:
            raise ValueError(f"{self.name}.variants: expected weights that add up to {BUCKETS}, got {weights}")
        if self.winner and self.winner not in self.variants:
            raise ValueError(f"{self.name}.winner: expected one of {', '.join(self.variants)}, got {self.winner!r}")

    def variant_of(self, player: str) -> str:
        """Return what a player sees, who is given by the normal form of the name."""
        number = bucket(self.name, player)
        return self.winner or next(name for name, end in self._ends() if number < end)

    def variant_sql(self, player: str = "player") -> str:
        """Return `variant_of` as SQL for Trino; `player` is the column."""
        if self.winner:
            return f"'{self.winner}'"
        number = bucket_sql(self.name, player)
        cases = " ".join(f"WHEN {number} < {end} THEN '{name}'" for name, end in self._ends())
        return f"CASE {cases} END"

    def _ends(self) -> Iterator[tuple[str, int]]:
        """Yield each variant with the bucket after its last one."""
        end = 0
        for name, weight in self.variants.items():
            end += weight
            yield name, end


def bucket(experiment: str, player: str) -> int:
    return int(sha256(f"{experiment}:{player}".encode()).hexdigest()[:8], 16) % BUCKETS


def bucket_sql(experiment: str, player: str = "player") -> str:
    """Return `bucket` as SQL for Trino."""
    return f"from_base(substr(to_hex(sha256(to_utf8('{experiment}:' || {player}))), 1, 8), 16) % {BUCKETS}"


EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "tavern_sign",
            "Whether a golden sign brings more players into the tavern than a plain one",
            {"plain": 5_000, "golden": 5_000},
        ),
    )
}


def variants_of(player: str) -> dict[str, str]:
    """Return what a player sees in every experiment."""
    return {name: experiment.variant_of(player) for name, experiment in EXPERIMENTS.items()}
