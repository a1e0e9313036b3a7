"""What the models have to say about some records, computed in plain Python."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from game_events.effects import effects

from tests.unit.models.history import Event

HALF_AN_HOUR = timedelta(minutes=30)
WEEK = timedelta(days=7)
FUNNEL = ("purchases", "joins", "battles")


class Expected:
    """Each event once, with the time at which it happened, by player and in order."""

    def __init__(self, records: Iterable[Event]) -> None:
        self.events = [event | {"at": happened(event)} for event in attempted_first(records)]
        self.players: dict[str, list[Event]] = defaultdict(list)
        for event in sorted(self.events, key=lambda event: (event["at"], event["kafka_offset"])):
            self.players[event["player"]].append(event)

    def first_day(self, player: str) -> date:
        return day_of(self.players[player][0])

    def days(self, player: str) -> set[date]:
        return {day_of(event) for event in self.players[player]}

    def sessions(self) -> Counter[tuple[str, datetime, datetime, int]]:
        found: Counter[tuple[str, datetime, datetime, int]] = Counter()
        for player, events in self.players.items():
            begins = [n for n, (a, b) in enumerate(pairwise(events), 1) if b["at"] - a["at"] > HALF_AN_HOUR]
            for since, until in pairwise([0, *begins, len(events)]):
                found[player, events[since]["at"], events[until - 1]["at"], until - since] += 1
        return found

    def active(self, period: str) -> dict[date, tuple[int, int]]:
        """Return the players and the new players of each period."""
        active: dict[date, set[str]] = defaultdict(set)
        new: Counter[date] = Counter()
        for player in self.players:
            for day in self.days(player):
                active[start_of(period, day)].add(player)
            new[start_of(period, self.first_day(player))] += 1
        return {since: (len(players), new[since]) for since, players in active.items()}

    def retention(self) -> dict[tuple[date, int], tuple[int, int]]:
        """Return the cohort's size, and how many of it are back, by cohort and number of the day."""
        cohorts: dict[date, list[str]] = defaultdict(list)
        for player in self.players:
            cohorts[self.first_day(player)].append(player)
        last = max(day for player in self.players for day in self.days(player))
        return {
            (cohort, age): (len(members), sum(cohort + timedelta(age) in self.days(one) for one in members))
            for cohort, members in cohorts.items()
            for age in range(min(30, (last - cohort).days) + 1)
        }

    def funnel(self) -> list[int]:
        arrived = [0] * len(FUNNEL)
        for events in self.players.values():
            since = begun = None
            for step, family in enumerate(FUNNEL):
                since = next(
                    (
                        event["at"]
                        for event in events
                        if event["family"] == family
                        and (
                            since is None
                            or (event["at"] >= since and begun is not None and event["at"] - begun <= WEEK)
                        )
                    ),
                    None,
                )
                if since is None:
                    break
                begun = begun or since
                arrived[step] += 1
        return arrived

    def purchases(self) -> dict[str, tuple[int, int, float | None]]:
        """Return each player's number of purchases, their price, and the seconds to the first one."""
        found = {}
        for player, events in self.players.items():
            bought = [event for event in events if event["family"] == "purchases"]
            price = sum(-event["gold"] for event in bought if event["gold"])
            wait = (bought[0]["at"] - events[0]["at"]).total_seconds() if bought else None
            found[player] = (len(bought), price, wait)
        return found

    def economy(self) -> dict[tuple[date, str, str], tuple[int, int]]:
        """Return what was added and removed, by day, item (or gold) and event type."""
        sums: dict[tuple[date, str, str], list[int]] = defaultdict(lambda: [0, 0])
        for event in self.events:
            given = {name: value for name, value in event.items() if value is not None} | {"target": "somebody"}
            for effect in effects(given):
                if effect.owner == "hero" and (effect.attribute == "gold" or effect.attribute.startswith("item:")):
                    place = (day_of(event), effect.attribute.removeprefix("item:"), event["event_type"])
                    sums[place][effect.amount < 0] += abs(effect.amount)
        return {place: (added, removed) for place, (added, removed) in sums.items()}

    def experiment(self) -> dict[str, tuple[int, int, int]]:
        """Return how many players each variant has, how many of them saw it, and how many of those bought something."""
        found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for events in self.players.values():
            variants = {variant_of(event) for event in events}
            if len(variants) > 1:
                continue
            seen = next((event["at"] for event in events if event["event_type"] == "see_experiment"), None)
            bought = seen is not None and any(
                event["family"] == "purchases" and seen <= event["at"] <= seen + WEEK for event in events
            )
            for number, is_true in enumerate((True, seen is not None, bought)):
                found[variants.copy().pop()][number] += is_true
        return {variant: (assigned, exposed, bought) for variant, (assigned, exposed, bought) in found.items()}


def attempted_first(records: Iterable[Event]) -> Iterator[Event]:
    """Yield the first attempt at each event: all retries of these records are of the same day."""
    seen = set()
    for record in records:
        key = (record["player"], record["event_type"], record["event_id"])
        if key not in seen and record["family"] not in ("erased", "rejected"):
            yield record
        seen.add(key)


def happened(event: Mapping[str, Any]) -> datetime:
    """Return the device's time, less what its clock is off, between reception and 90 days before it."""
    received: datetime = event["received_at"]
    corrected: datetime = event["occurred_at"] + (received - event["sent_at"])
    return min(received, max(received - timedelta(days=90), corrected))


def day_of(event: Event) -> date:
    at: datetime = event["at"]
    return at.date()


def start_of(period: str, day: date) -> date:
    return {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[period]


def variant_of(event: Event) -> str:
    variant: str = event["experiments"].split('"')[3]
    return variant
