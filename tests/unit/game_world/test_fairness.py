"""Bots play thousands of moves: whatever they try, gold and experience come from stamina, which comes from time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, cycle, islice, repeat
from random import Random
from typing import NamedTuple

import pytest
from game_events import EVENT_TYPES
from game_events.effects import effects
from game_events.rules import (
    MOST_EXPERIENCE_PER_STAMINA,
    MOST_GOLD_PER_STAMINA,
    MOST_STAMINA,
    PRICES,
    STAMINA_SECONDS,
    START,
)
from game_world.store import key
from game_world.world import RefusedError

from tests.unit.game_world.topic import Event, Topic

BOTS = ("ada", "bob", "cid", "dan")
ITEMS = [*PRICES, "sword", "axe", "shield"]
BOUGHT = [name for name in EVENT_TYPES if name.startswith("purchase_")]
ROUND = 400
"""Moves of all bots between two long rests."""


class Move(NamedTuple):
    event_type: str
    player: str
    item: str
    target: str
    amount: int


class Game:
    """Makes moves, and keeps what they brought into the world."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.riches, self.learned, self.stamina = 0, 0, 0
        self.done: Counter[str] = Counter()
        self._began = topic.store.now()
        self._rests = 0
        for bot in BOTS:
            topic.do("default", bot)

    def make(self, move: Move) -> Event | None:
        """Make a move, unless the rules forbid it; no move brings more than the stamina that it takes allows."""
        event_type = EVENT_TYPES[move.event_type]
        given = {
            field.name: {**move._asdict(), "guild": "owls"}[field.name]
            for field in event_type.parameters
            if field.name in ("item", "target", "amount", "guild")
        }
        event = self.topic.event(move.event_type, move.player, **given)
        with suppress(RefusedError):
            self.topic.decide(event)
            self.done[move.event_type] += 1
            riches, learned = riches_of(event), learned_by(event)
            assert riches <= MOST_GOLD_PER_STAMINA * event_type.stamina, event
            assert learned <= MOST_EXPERIENCE_PER_STAMINA * event_type.stamina, event
            self.riches += riches
            self.learned += learned
            self.stamina += event_type.stamina
            return event
        return None

    def rest(self) -> None:
        """Let the bots rest until all of them have all their stamina."""
        self._rests += 1
        self.topic.store.redis.unlink(*(key(f"stamina:{bot}") for bot in BOTS))

    def check(self) -> None:
        """The store holds what the moves brought, and nobody had more stamina than time gives."""
        has = [self.topic.hero(bot) for bot in BOTS]
        in_items = sum(price * one.get(f"item:{item}", 0) for one in has for item, price in PRICES.items())
        in_guilds = int(self.topic.store.redis.hget(key("guild:owls"), "gold") or 0)
        gold = sum(one.get("gold", 0) for one in has) + in_items + in_guilds
        assert gold == START["gold"] * len(BOTS) + self.riches
        seconds = self.topic.store.now() - self._began
        assert self.stamina <= len(BOTS) * (MOST_STAMINA * (1 + self._rests) + seconds / STAMINA_SECONDS)


def riches_of(event: Event) -> int:
    """By how much gold an event makes the world richer; items count as the trader pays for them."""
    return sum(
        effect.amount * (1 if effect.attribute == "gold" else PRICES.get(effect.attribute.removeprefix("item:"), 0))
        for effect in effects(event)
    )


def learned_by(event: Event) -> int:
    return sum(effect.amount for effect in effects(event) if effect.attribute == "experience")


def drawn(random: Random, event_type: str, player: str = "") -> Move:
    player = player or random.choice(BOTS)
    target = random.choice([bot for bot in BOTS if bot != player])
    return Move(event_type, player, random.choice(ITEMS), target, random.choice((1, 5, 40, 1000)))


def random_moves(random: Random) -> Iterator[Move]:
    """Any action at any time."""
    while True:
        yield drawn(random, random.choice([*EVENT_TYPES]))


def sweeps(random: Random) -> Iterator[Move]:
    """All actions in a row, by each bot."""
    for event_type, player in cycle((event_type, bot) for event_type in EVENT_TYPES for bot in BOTS):
        yield drawn(random, event_type, player)


def traders(random: Random) -> Iterator[Move]:
    """Buys everything, also for nothing, and sells it at once."""
    while True:
        buys = drawn(random, random.choice(BOUGHT))
        item = buys.event_type.removeprefix("purchase_")
        yield from chain(repeat(buys, 3), repeat(buys._replace(event_type="sell_item", item=item), 3))


def robbers(random: Random) -> Iterator[Move]:
    """Offers an alliance, and betrays it at once."""
    while True:
        move = drawn(random, "propose_alliance", "ada")
        yield from (move._replace(event_type=name) for name in ("propose_alliance", "betray_ally", "pray"))


def friends(random: Random) -> Iterator[Move]:
    """Two members of a guild promote, heal, fight, ally with and pay one another, and pass the same item to and fro."""
    names = ("promote_member", "accept_alliance", "propose_alliance", "cast_heal", "arm_wrestle", "pay_tribute")
    for player, target in cycle((("ada", "bob"), ("bob", "ada"))):
        for name in ("join_guild", "purchase_sword", "give_item", "donate_gold", *names):
            yield drawn(random, name, player)._replace(target=target, item="sword", amount=10)


def gamblers(random: Random) -> Iterator[Move]:
    """Doubles the bet until a win."""
    while True:
        for amount in (1, 2, 4, 8, 16, 32, 64, 128):
            yield drawn(random, "throw_dice")._replace(amount=amount)


def play(game: Game, moves: Iterator[Move], number: int) -> None:
    for made, move in enumerate(islice(moves, number), 1):
        game.make(move)
        if made % ROUND == 0:
            game.rest()
    game.check()


@pytest.mark.parametrize("strategy", [random_moves, sweeps, traders, robbers, friends, gamblers])
def test_no_strategy_makes_gold_from_nothing(topic: Topic, strategy: object) -> None:
    """Each move, and all of them together, bring no more gold and experience than the stamina they take allows."""
    play(Game(topic), strategy(Random(7)), 1500)  # type: ignore[operator]


def test_greed_finds_no_pump(topic: Topic) -> None:
    """A bot that repeats whatever brought the most per move is bounded by its stamina, as everyone is."""
    random, game = Random(7), Game(topic)
    brought: dict[tuple[str, str], list[int]] = {}

    def worth(kind: tuple[str, str]) -> float:
        return sum(brought[kind]) / len(brought[kind])

    for made in range(1, 2001):
        move = drawn(random, random.choice([*EVENT_TYPES]), "ada")
        if brought and random.random() < 0.7:
            event_type, item = max(brought, key=worth)
            move = move._replace(event_type=event_type, item=item)
        event = game.make(move)
        brought.setdefault((move.event_type, move.item), []).append(riches_of(event) if event else 0)
        if made % ROUND == 0:
            game.rest()
    game.check()


def test_trading_and_offers_make_nobody_richer(topic: Topic) -> None:
    """Buying and selling lose gold, and an offer that nobody accepted cannot be betrayed."""
    game = Game(topic)
    play(game, traders(Random(3)), 400)
    assert game.done["sell_item"] > 0
    assert game.riches < 0
    play(game, robbers(Random(3)), 400)
    assert game.done["propose_alliance"] > 0
    assert game.done["betray_ally"] == 0


def test_clicks_make_nobody_richer(topic: Topic) -> None:
    """Without rest, 500 clicks bring no more than the stamina of one player; what is left waits for time."""
    game = Game(topic)
    for _ in range(500):
        game.make(Move("explore", "ada", "", "", 1))
        game.make(Move("drink_potion", "ada", "", "", 1))
    assert game.done["explore"] <= MOST_STAMINA // EVENT_TYPES["explore"].stamina + 2
    game.check()
