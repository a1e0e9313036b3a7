"""An event type: what a player asks for, what it needs, what comes of it, and the event that tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from game_events.chance import Distribution
from game_events.fields import Field, Kind
from game_events.rules import Contest, Need, Result, Who

_MOST = 1_000_000_000

_CHANGES = {
    "gold": "Change of the player's gold",
    "health": "Change of the player's health",
    "experience": "Change of the player's experience",
    "target_gold": "Change of the target's gold",
    "target_health": "Change of the target's health",
    "target_experience": "Change of the target's experience",
    "guild_gold": "Change of the gold that the guild has",
}
_WON = Field("won", Kind.BOOLEAN, "Whether the player won")
_LOOT = Field("loot", Kind.STRING, "The item found", maximum=64)

STRENGTH = Field("strength", Kind.INTEGER, "Strength of the thing bought", required=True, maximum=10)
GUILD = Field("guild", Kind.STRING, "The guild joined", minimum=1, maximum=64)
TARGET = Field("target", Kind.STRING, "Whom it is declared to", minimum=1, maximum=255)
OTHER_PLAYER = Field("target", Kind.STRING, "The other player", required=True, minimum=1, maximum=255)
NEW_GUILD = Field("guild", Kind.STRING, "The guild's name", required=True, minimum=1, maximum=64)
OWN_GUILD = Field("guild", Kind.STRING, "The player's guild", minimum=1, maximum=64)
AMOUNT = Field("amount", Kind.INTEGER, "How much gold", required=True, minimum=1, maximum=1_000_000)
ITEM = Field("item", Kind.STRING, "Which item", required=True, minimum=1, maximum=64)


@dataclass(frozen=True)
class EventType:
    """A request to `request` becomes an event `name`. `family` names the view it is read from.

    `fields` are its own, beside the common ones: parameters of the request, but for those in `draws`, which chance
    decides, and `decided`, which the world does. Fields that tell what changed are added by the rules. `sets` are
    facts about the player that stay until the next event of the kind: `guild`, and `tie`, to the target.
    """

    name: str
    family: str
    request: str
    result: Result
    fields: tuple[Field, ...] = ()
    description: str = ""
    draws: Mapping[str, Distribution] = field(default_factory=dict)
    decided: frozenset[str] = frozenset()
    needs: tuple[Need, ...] = ()
    contest: Contest | None = None
    sets: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def parameters(self) -> tuple[Field, ...]:
        """Fields that the request gives."""
        return tuple(own for own in self.fields if own.name not in self.draws and own.name not in self.decided)

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """What may come of it: won, then lost."""
        return (self.result, self.contest.lost) if self.contest else (self.result,)

    @cached_property
    def own_fields(self) -> tuple[Field, ...]:
        """All fields beside the common ones."""
        found = {one.name: one for one in self.fields}
        for result in self.results:
            for change in result.changes:
                found.setdefault(
                    change.field,
                    Field(change.field, Kind.INTEGER, _CHANGES[change.field], minimum=-_MOST, maximum=_MOST),
                )
            if result.loot:
                found.setdefault(_LOOT.name, _LOOT)
        if self.contest:
            found[_WON.name] = _WON
        for name in ("target", "guild"):
            if name in found:
                doc = f"The {name}'s name as given, where {name} differs"
                found[f"{name}_name"] = Field(f"{name}_name", Kind.STRING, doc, maximum=found[name].maximum)
        return tuple(found.values())

    @cached_property
    def is_free(self) -> bool:
        """Whether it depends on nothing that the world knows, so that it can happen while the world is away."""
        return not (self.needs or self.contest or self.decided or any(result.changes for result in self.results))

    @cached_property
    def concerns_target(self) -> bool:
        """Whether another player than oneself must be named."""
        return any(need.who is Who.TARGET for need in self.needs) or any(
            change.who is Who.TARGET for result in self.results for change in result.changes
        )
