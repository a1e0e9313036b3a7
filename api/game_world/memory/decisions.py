"""Decides a command (game_world/commands.py) by the rules, as decide.lua does in the store: a test compares the two."""

from typing import Any

from game_events.effects import Effect
from game_events.rules import MOST_HEALTH, Kind, level, might

from game_world.commands import Json
from game_world.memory.state import State


def unmet(state: State, command: Json, own_guild: str, guild: str) -> Json | None:
    """Return which precondition is not met, and how much there is of what it requires; None if all are met."""
    for position, precondition in enumerate(command["preconditions"]):
        have = 0
        if "met" in precondition:
            is_met = precondition["met"]
        elif precondition["kind"] == Kind.AT_LEAST:
            have = _amount(state, command, precondition["who"], precondition["attribute"], guild)
            is_met = have >= precondition["least"]
        else:
            is_met = _is_met(state, precondition["kind"], command, own_guild, guild)
        if not is_met:
            return {"precondition": position, "have": have}
    return None


def _is_met(state: State, kind: str, command: Json, own_guild: str, guild: str) -> bool:
    player, target = command["player"], command.get("target", "")
    match kind:
        case Kind.KNOWN:
            return target in state.heroes
        case Kind.IN_GUILD:
            return own_guild != ""
        case Kind.NO_GUILD:
            return own_guild == ""
        case Kind.SAME_GUILD:
            return own_guild != "" and target in state.heroes and state.heroes[target].guild == own_guild
        case Kind.NEW_GUILD:
            return state.members(guild) == 0
        case Kind.FOUNDED:
            return state.members(guild) > 0
        case Kind.OFFERED:
            return state.is_tied(target, player) and not state.is_tied(player, target)
        case Kind.ALLIED:
            return state.is_tied(player, target) and state.is_tied(target, player)
    raise ValueError(f"kind: expected one that depends on the world, got {kind}")


def decide(state: State, command: Json) -> tuple[Json, list[Effect]]:
    """Apply a command that the rules decide; return the reply and the effects. A refused one has none."""
    player = command["player"]
    own_guild = state.heroes[player].guild if player in state.heroes else ""
    guild = command.get("guild") or own_guild
    if problem := unmet(state, command, own_guild, guild):
        return problem, []
    if not state.has_room_for(player):
        return {"full": True}, []
    reply: Json = {}
    if command.get("own_guild"):
        reply["guild"] = own_guild
        if own_guild in state.guilds and (given := state.guilds[own_guild].name) != own_guild:
            reply["guild_name"] = given
    result = command["results"][0]
    if "contest" in command:
        reply["won"] = _is_won(state, command)
        result = command["results"][0 if reply["won"] else 1]
    state.meet(player)
    reply["amounts"], effects = _change(state, command, result["changes"], guild)
    state.add(result["effects"])
    state.tire(player, command.get("stamina", 0))
    return reply | {"drawn": dict(result["drawn"])}, [*effects, *result["effects"]]


def _named(command: Json, who: str, guild: str) -> tuple[str, str]:
    return ("guild", guild) if who == "guild" else ("hero", command[who])


def _amount(state: State, command: Json, who: str, attribute: str, guild: str) -> int:
    return state.amount(*_named(command, who, guild), attribute)


def _is_won(state: State, command: Json) -> bool:
    contest: dict[str, Any] = command["contest"]
    against, is_battle = contest["against_player"], contest["is_battle"]
    mine = contest["mine"] + _bonus(state, command["player"], against, is_battle, contest["arms"])
    theirs = contest["theirs"]
    if against:
        theirs += _bonus(state, command["target"], True, is_battle, contest["guards"])
    return bool(mine >= theirs)


def _bonus(state: State, player: str, with_level: bool, is_battle: bool, gear: dict[str, int]) -> int:
    """Return what a side adds to its throw."""
    total = level(state.amount("hero", player, "experience")) if with_level else 0
    if is_battle:
        total += might(state.amount("hero", player, "power"))
    return total + sum(worth for item, worth in gear.items() if state.amount("hero", player, f"item:{item}") > 0)


def _change(state: State, command: Json, changes: list[Json], guild: str) -> tuple[list[int], list[Effect]]:
    """Apply changes; return by how much each attribute changed, and the effects."""
    amounts: list[int] = []
    effects: list[Effect] = []
    for wanted in changes:
        owner, name = _named(command, wanted["who"], guild)
        amount, attribute = wanted["amount"], wanted["attribute"]
        before = state.amount(owner, name, attribute)
        if wanted["kind"] == "share":
            share = max(0, before) * abs(amount) // 100
            amount = -share if amount < 0 else share
        elif wanted["kind"] == "taken":
            amount = -amounts[-1] if amounts else 0
        # What was reverted after it had been spent stays owed.
        after = max(min(0, before), before + amount)
        if attribute == "health":
            after = min(after, MOST_HEALTH)
        amounts.append(after - before)
        if after != before:
            effects.append(Effect(owner, name, attribute, after - before))
            state.add(effects[-1:])
    return amounts, effects
