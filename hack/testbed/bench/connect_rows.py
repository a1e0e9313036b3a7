"""The rows of our stream beside Kafka Connect."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from testbed.bench.connect import Intervals, Loads, Steadiness
from testbed.bench.connect_faults import Kill, Recovery, formatted
from testbed.bench.exactness import Exactness
from testbed.bench.jobs import Load
from testbed.bench.report import Compared, Row, middle, ratios, spread
from testbed.bench.writers import OURS, THEIRS
from testbed.percentile import percentile


def catch_up_rows(loads: Loads, interval: int) -> list[Row]:
    events = loads[0][OURS].events

    def row(what: str, figure: Callable[[Load], float]) -> Row:
        ours, theirs = middle(loads, lambda one: figure(one[OURS])), middle(loads, lambda one: figure(one[THEIRS]))
        found = ratios(loads, lambda one: figure(one[OURS]) / figure(one[THEIRS]))
        return Row(
            f"{what}, catching up with {events:,} events, {_every(interval)}",
            f"{ours:,.0f}",
            f"{theirs:,.0f}, {THEIRS}",
            spread(found),
        )

    return [
        row("events/s per core, from the first record to the last commit", lambda load: load.events_per_core_started),
        row("events/s per core, start-up included", lambda load: load.events_per_core),
        row("events/s, start-up included", lambda load: load.events_per_second),
    ]


def steady_rows(found: Mapping[str, Steadiness], intervals: Intervals, rate: int) -> list[Row]:
    ours, theirs = found[OURS], found[THEIRS]
    mine, other = intervals[OURS], intervals[THEIRS]
    each = _every(mine) if mine == other else f"each at its own default, {_every(mine)} and every {other} s"
    about = f"{rate} events/s, {len(ours.delays):,} events each, {each}"

    def fresh(one: Steadiness) -> str:
        return f"{percentile(one.delays, 0.5):.1f} / {percentile(one.delays, 0.99):.1f} / {one.delays[-1]:.1f} s"

    return [
        Row(
            f"acknowledged to visible in Trino, p50 / p99 / most, {about}",
            fresh(ours),
            f"{fresh(theirs)}, {THEIRS}",
            f"p99 {percentile(ours.delays, 0.99) / percentile(theirs.delays, 0.99):.2f}",
        ),
        Row(
            f"cores used meanwhile, {each}",
            f"{ours.cores:.2f}",
            f"{theirs.cores:.2f}, {THEIRS}",
            f"{ours.cores / theirs.cores:.2f}",
        ),
    ]


def exactness_row(found: Mapping[str, Exactness]) -> Row:
    return Row("all of that, rows compared with Kafka", str(found[OURS]), f"{found[THEIRS]}, {THEIRS}")


def fault_rows(kills: Sequence[Kill], interval: int) -> Iterator[Compared]:
    """Yield a row for each fault: the sums of what was lost and doubled, and the longest recovery."""
    order = list(dict.fromkeys(kill.fault for kill in kills))
    for fault, alike in groupby(sorted(kills, key=lambda kill: order.index(kill.fault)), key=lambda kill: kill.fault):
        each = list(alike)
        figures = {name: _told([kill.recoveries[name] for kill in each]) for name in (OURS, THEIRS)}
        what = f"{fault}, kill -9 under load, {_times(len(each))}, {_every(interval)}; longest recovery"
        yield Compared(what, figures)


def _told(found: Sequence[Recovery]) -> str:
    lost, doubled, differing = (
        sum(getattr(one.exactness, name) for one in found) for name in ("lost", "doubled", "differing")
    )
    parts = [
        *(f"**{count:,} {name}**" if count else f"0 {name}" for count, name in ((lost, "lost"), (doubled, "doubled"))),
        *([f"**{differing:,} differing**"] if differing else []),
        formatted(max(one.seconds for one in found)),
    ]
    if mended := sum(one.mended for one in found):
        parts.append(f"{mended} failed tasks restarted")
    if by_hand := sum(one.by_hand for one in found):
        parts.append(f"its process restarted by hand {_times(by_hand)}")
    return ", ".join(parts)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _every(interval: int) -> str:
    return f"a commit every {interval} s"
