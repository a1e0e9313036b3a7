"""The API's rows of the table."""

from collections.abc import Callable, Sequence
from statistics import median

from testbed.bench import api
from testbed.bench.report import Row, middle, ratios, spread

MEGABYTE = 1_000_000
Figures = Callable[[api.Round], api.Run]
"""Picks one server's result of a round."""
BASELINES: dict[str, Figures] = {
    "the naive baseline under Flask's development server": lambda r: r.flask,
    "the naive baseline under gunicorn (gthread), as many workers and threads": lambda r: r.gunicorn,
}
"""What the API is compared with; neither waits for the broker."""


def api_rows(rounds: Sequence[api.Round], memory: dict[str, int], connections: int) -> list[Row]:
    per_core = ratios(rounds, lambda r: r.bulk.events_per_core / r.raw.events_per_core)
    world = ratios(rounds, lambda r: r.ours.requests_per_second / r.worldless.requests_per_second)
    return [
        *(_speed(rounds, connections, name, baseline) for name, baseline in BASELINES.items()),
        Row(
            "requests/s, with the world and its limits, and without both",
            f"{middle(rounds, lambda r: r.ours.requests_per_second):,.0f}",
            f"{middle(rounds, lambda r: r.worldless.requests_per_second):,.0f} without the world",
            spread(world),
            "at least 0.7x",
            median(world) >= 0.7,
        ),
        Row(
            "requests/s decided by the world, with limits, and unconditional ones without both",
            f"{middle(rounds, lambda r: r.decided.requests_per_second):,.0f}",
            f"{middle(rounds, lambda r: r.worldless.requests_per_second):,.0f} without the world",
            spread(ratios(rounds, lambda r: r.decided.requests_per_second / r.worldless.requests_per_second)),
        ),
        Row(
            "p50 / p99 of an answer, with the world and its limits",
            f"{middle(rounds, lambda r: r.ours.p50_ms):.1f} / {middle(rounds, lambda r: r.ours.p99_ms):.1f} ms",
        ),
        Row(
            "CPU per event, with the world (its limits, store and projection too) and without it",
            f"{middle(rounds, lambda r: r.ours.cpu_per_event):.0f} µs",
            f"{middle(rounds, lambda r: r.worldless.cpu_per_event):.0f} µs without the world",
            spread(ratios(rounds, lambda r: r.ours.cpu_per_event / r.worldless.cpu_per_event)),
        ),
        *(_answers(rounds, name, baseline) for name, baseline in BASELINES.items()),
        *(_cost(rounds, name, baseline) for name, baseline in BASELINES.items()),
        Row(
            f"events/s per core, bulk requests of {api.BULK}",
            f"{middle(rounds, lambda r: r.bulk.events_per_core):,.0f}",
            f"{middle(rounds, lambda r: r.raw.events_per_core):,.0f}, a raw producer loop with the same guarantees",
            spread(per_core),
            "at least 0.4x",
            median(per_core) >= 0.4,
        ),
        Row(
            f"p50 / p99 of a bulk request of {api.BULK}, {connections} connections",
            f"{middle(rounds, lambda r: r.bulk.p50_ms):.0f} / {middle(rounds, lambda r: r.bulk.p99_ms):.0f} ms",
        ),
        Row(
            "memory of the largest worker",
            ", ".join(f"{name} {size / MEGABYTE:.0f} MB" for name, size in memory.items()),
            target="RSS under 80 MB",
            met=memory["RSS"] < 80 * MEGABYTE,
        ),
    ]


def _speed(rounds: Sequence[api.Round], connections: int, name: str, baseline: Figures) -> Row:
    speed = ratios(rounds, lambda r: r.worldless.requests_per_second / baseline(r).requests_per_second)
    target = ("at least 2x", median(speed) >= 2) if "development server" in name else ("", None)
    return Row(
        f"requests/s, {connections} connections, each answer waits for the broker, without the world",
        f"{middle(rounds, lambda r: r.worldless.requests_per_second):,.0f}",
        f"{middle(rounds, lambda r: baseline(r).requests_per_second):,.0f}, {name}, waiting for nothing",
        spread(speed),
        *target,
    )


def _answers(rounds: Sequence[api.Round], name: str, baseline: Figures) -> Row:
    p99 = middle(rounds, lambda r: r.worldless.p99_ms)
    return Row(
        "p50 / p99 of an answer, without the world",
        f"{middle(rounds, lambda r: r.worldless.p50_ms):.1f} / {p99:.1f} ms",
        f"{middle(rounds, lambda r: baseline(r).p50_ms):.1f} / "
        f"{middle(rounds, lambda r: baseline(r).p99_ms):.1f} ms, {name}",
        spread(ratios(rounds, lambda r: r.worldless.p99_ms / baseline(r).p99_ms)),
        "p99 at most 50 ms",
        p99 <= 50,
    )


def _cost(rounds: Sequence[api.Round], name: str, baseline: Figures) -> Row:
    return Row(
        "CPU per event in Kafka, without the world",
        f"{middle(rounds, lambda r: r.worldless.cpu_per_event):.0f} µs",
        f"{middle(rounds, lambda r: baseline(r).cpu_per_event):.0f} µs, {name};"
        f" {sum(baseline(r).lost for r in rounds)} events lost",
        spread(ratios(rounds, lambda r: r.worldless.cpu_per_event / baseline(r).cpu_per_event)),
    )
