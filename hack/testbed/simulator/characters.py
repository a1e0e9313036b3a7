"""Characters: what each kind of player does, and with whom."""

from collections.abc import Mapping
from dataclasses import dataclass

GUILDS = ("Round Table", "Night Watch", "Golden Horde", "Lone Wolves")
"""Guilds 1 and 2 are rivals, and so are guilds 3 and 4."""

ITEMS = ("herb", "ore", "feather", "ruby", "potion", "helmet")


@dataclass(frozen=True)
class Character:
    """`likes` maps event types to their relative frequency."""

    name: str
    likes: Mapping[str, int]


_ALL = {"default": 2, "pray": 3, "rest_at_inn": 2, "drink_ale": 2, "join_guild": 1, "see_experiment": 2}
"""What every character does occasionally. All join their guild again: at first it may not have been founded yet."""

CHARACTERS = (
    Character(
        "explorer",
        _ALL
        | {
            "explore": 24,
            "open_chest": 10,
            "solve_riddle": 6,
            "mine_ore": 6,
            "slay_dragon": 3,
            "brew_potion": 4,
            "drink_potion": 4,
            "cast_heal": 3,
            "read_stars": 2,
            "sell_item": 6,
            "purchase_sword": 3,
            "purchase_bow": 2,
        },
    ),
    Character(
        "merchant",
        _ALL
        | {
            "purchase_axe": 4,
            "purchase_shield": 6,
            "purchase_bow": 5,
            "purchase_helmet": 6,
            "purchase_potion": 8,
            "purchase_horse": 3,
            "purchase_castle": 1,
            "sell_item": 16,
            "give_item": 4,
            "mine_ore": 8,
            "forge_armor": 4,
            "explore": 6,
            "donate_gold": 5,
            "pay_tribute": 3,
            "propose_alliance": 3,
            "accept_alliance": 3,
            "throw_dice": 4,
            "declare_peace": 2,
            "promote_member": 2,
        },
    ),
    Character(
        "warlord",
        _ALL
        | {
            "duel": 18,
            "raid": 7,
            "lay_siege": 3,
            "declare_war": 7,
            "declare_peace": 1,
            "purchase_sword": 6,
            "purchase_axe": 5,
            "purchase_horse": 3,
            "cast_fireball": 4,
            "slay_dragon": 5,
            "betray_ally": 2,
            "propose_alliance": 2,
            "accept_alliance": 2,
            "arm_wrestle": 4,
            "explore": 8,
            "found_guild": 1,
            "leave_guild": 1,
            "join_guild": 2,
            "pray": 6,
        },
    ),
)

AMONG_FRIENDS = frozenset(
    {
        "propose_alliance",
        "accept_alliance",
        "betray_ally",
        "pay_tribute",
        "give_item",
        "cast_heal",
        "promote_member",
        "arm_wrestle",
        "declare_peace",
    }
)
"""Event types whose target is in the player's own guild; all other targets are in the rival guild."""
