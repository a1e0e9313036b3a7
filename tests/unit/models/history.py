"""Generated months of players, with what makes models inexact: late events, retries, gaps and days at boundaries."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Event = dict[str, Any]

START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 75
GAPS = (1, 60, 30 * 60 - 0.001, 30 * 60, 30 * 60 + 0.001, 3 * 3600)
"""Seconds from one event of a player to the next one: up to 30 minutes stay in a session."""
_TYPES = {
    "visits": ["default"],
    "purchases": ["purchase_sword", "purchase_bow"],
    "joins": ["join_guild"],
    "battles": ["raid", "duel"],
    "trades": ["sell_item", "give_item"],
    "crafts": ["forge_armor", "brew_potion"],
    "quests": ["explore", "open_chest"],
}


def history(seed: int, players: int) -> list[Event]:
    """Return the records of the topic, as rows of the table `events`, in the order of their reception."""
    chance = random.Random(seed)
    records = [record for number in range(players) for record in _player(chance, f"player{number}")]
    records.sort(key=lambda record: record["received_at"])
    ends = {-1: 2**62 - 100_000, 0: 0, 1: 0, 2: 0}
    for record in records:
        # A player's records are in one partition; -1 has the lines of imported files, with offsets of 62 bits.
        partition = int(record["player"].removeprefix("player")) % 4 - 1
        record |= {"kafka_partition": partition, "kafka_offset": ends[partition]}
        ends[partition] += 1
    return records


def _player(chance: random.Random, player: str) -> Iterator[Event]:
    first = START + timedelta(days=chance.randrange(DAYS - 31))
    device = {
        "platform": chance.choice(["ios", "web", None]),
        "app_version": "1.0",
        "country": chance.choice(["DE", "US", None]),
    }
    variants = {"sign": chance.choice(["control", "golden"])}
    for day in [0, *sorted(chance.sample(range(1, 32), chance.randint(0, 6)))]:
        # The first event of a day is at midnight for some, and the last session passes midnight for others.
        moment = first + timedelta(days=day, seconds=chance.choice([0, 43_200, 86_399]))
        for _ in range(chance.randint(1, 8)):
            yield from _records(chance, moment, {"player": player, **device, "experiments": json.dumps(variants)})
            moment += timedelta(seconds=chance.choice(GAPS))
    if chance.random() < 0.05:
        variants["sign"] = "plain"
        yield from _records(chance, moment, {"player": player, "experiments": json.dumps(variants)})


def _records(chance: random.Random, moment: datetime, given: Event) -> Iterator[Event]:
    family = chance.choice([*_TYPES])
    event_type = chance.choice(_TYPES[family])
    # Some events wait on the device for days; the device's clock is off by up to two hours.
    late = timedelta(days=chance.choice([0] * 15 + [1, 20, 40]), milliseconds=chance.randrange(5000))
    received, off = moment + late, timedelta(seconds=chance.choice([0, 0, -7200, 3601]))
    won = chance.choice([True, False]) if event_type in ("raid", "open_chest") else None
    looted = family == "quests" and won is not False
    robbed = event_type == "raid" and won
    event = given | {
        "family": family,
        "event_type": event_type,
        "event_id": f"{chance.getrandbits(64):x}",
        "idempotent": True,
        "received_at": received,
        "occurred_at": moment + off,
        "sent_at": received + off,
        "gold": {"purchase_bow": -15, "raid": chance.randint(0, 20) if robbed else None, "sell_item": 7}.get(
            event_type
        ),
        "target_gold": -3 if robbed else None,
        "item": "bow" if family == "trades" else None,
        "loot": chance.choice(["ruby", None]) if looted else None,
        "won": won,
    }
    yield event
    if chance.random() < 0.1:
        # A retry by a client whose clock has been set meanwhile.
        yield event | {"received_at": received + timedelta(hours=3), "sent_at": received + timedelta(hours=3)}
    if family == "visits" and chance.random() < 0.5:
        variant = json.loads(given["experiments"])["sign"]
        exposure = {"family": "exposures", "event_type": "see_experiment", "experiment": "sign", "variant": variant}
        yield event | exposure | {"event_id": f"{chance.getrandbits(64):x}"}
