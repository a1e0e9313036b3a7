"""An event type: the action, its preconditions, its possible results, and the fields of the event that records it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from game_events.chance import Distribution
from game_events.fields import Field, Kind
from game_events.rules import STAMINA, Contest, Precondition, Result, Who

_MAX_CHANGE = 1_000_000_000

_CHANGES = {
    "gold": "Change of the player's gold",
    "health": "Change of the player's health",
    "experience": "Change of the player's experience",
    "target_gold": "Change of the target's gold",
    "target_health": "Change of the target's health",
    "target_experience": "Change of the target's experience",
    "guild_gold": "Change of the guild's gold",
}
_WON = Field("won", Kind.BOOLEAN, "Whether the player won")
_LOOT = Field("loot", Kind.STRING, "The item found", maximum=64)

STRENGTH = Field("strength", Kind.INTEGER, "Strength of the purchased item", required=True, maximum=10)
GUILD = Field("guild", Kind.STRING, "The guild joined", minimum=1, maximum=64)
TARGET = Field("target", Kind.STRING, "The other side of the declaration", minimum=1, maximum=255)
OTHER_PLAYER = Field("target", Kind.STRING, "The other player", required=True, minimum=1, maximum=255)
NEW_GUILD = Field("guild", Kind.STRING, "The guild's name", required=True, minimum=1, maximum=64)
OWN_GUILD = Field("guild", Kind.STRING, "The player's guild", minimum=1, maximum=64)
AMOUNT = Field("amount", Kind.INTEGER, "How much gold", required=True, minimum=1, maximum=1_000_000)
ITEM = Field("item", Kind.STRING, "Which item", required=True, minimum=1, maximum=64)


@dataclass(frozen=True)
class EventType:
    """A request for the path `request` becomes an event of type `name`, which analysts read from the view `family`.

    `fields` are the type's own, in addition to the common ones. They are parameters of the request, except those in
    `draws`, which are random, and those in `decided`, which the world fills in. Further fields follow from the rules:
    they record what changed. `sets` are facts that hold until the next event sets them: the player's `guild`, their
    `tie` to the target, and `target_tie`, the target's tie to the player.
    """

    name: str
    family: str
    request: str
    result: Result
    fields: tuple[Field, ...] = ()
    description: str = ""
    draws: Mapping[str, Distribution] = field(default_factory=dict)
    decided: frozenset[str] = frozenset()
    preconditions: tuple[Precondition, ...] = ()
    in_v1: tuple[Precondition, ...] = ()
    """Of an unconditional action: what version 1 of the API requires nevertheless, if the event names the guild."""
    contest: Contest | None = None
    sets: Mapping[str, str] = field(default_factory=dict)
    is_report: bool = False
    """Whether an app reports it: it is no action of the game, so that neither its page nor the event feed shows it."""

    @cached_property
    def parameters(self) -> tuple[Field, ...]:
        """The fields that the request provides."""
        return tuple(own for own in self.fields if own.name not in self.draws and own.name not in self.decided)

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """The possible results: won, then lost."""
        return (self.result, self.contest.lost) if self.contest else (self.result,)

    @cached_property
    def own_fields(self) -> tuple[Field, ...]:
        """All fields except the common ones."""
        found = {one.name: one for one in self.fields}
        for result in self.results:
            for change in result.changes:
                found.setdefault(
                    change.field,
                    Field(
                        change.field, Kind.INTEGER, _CHANGES[change.field], minimum=-_MAX_CHANGE, maximum=_MAX_CHANGE
                    ),
                )
            if result.loot:
                found.setdefault(_LOOT.name, _LOOT)
        if self.contest:
            found[_WON.name] = _WON
        for name in ("target", "guild"):
            if name in found:
                doc = f"The {name}'s name as given, if it differs from {name}"
                found[f"{name}_name"] = Field(f"{name}_name", Kind.STRING, doc, maximum=found[name].maximum)
        return tuple(found.values())

    @cached_property
    def is_free(self) -> bool:
        """Whether the action is unconditional: it works even while the world is unavailable."""
        return not (
            self.preconditions or self.contest or self.decided or any(result.changes for result in self.results)
        )

    @cached_property
    def gives_power(self) -> bool:
        """Whether the purchased item's strength is added to the player's power: only gear that was paid for counts."""
        return STRENGTH in self.fields and not self.is_free

    @cached_property
    def stamina(self) -> int:
        """How much stamina the action uses up."""
        return max((needed.least_of({}) for needed in self.preconditions if needed.attribute == STAMINA), default=0)

    @cached_property
    def concerns_target(self) -> bool:
        """Whether the action needs another player as its target."""
        return any(precondition.who is Who.TARGET for precondition in self.preconditions) or any(
            change.who is Who.TARGET for result in self.results for change in result.changes
        )
