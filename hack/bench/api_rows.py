"""What the table says of the API."""

from collections.abc import Sequence
from statistics import median

from bench import api
from bench.report import Row, middle, ratios, spread

MEGABYTE = 1_000_000


def api_rows(rounds: Sequence[api.Round], memory: dict[str, int], connections: int) -> list[Row]:
    speed = ratios(rounds, lambda r: r.worldless.requests_per_second / r.usual.requests_per_second)
    p99 = middle(rounds, lambda r: r.worldless.p99_ms)
    per_core = ratios(rounds, lambda r: r.bulk.events_per_core / r.bare.events_per_core)
    world = ratios(rounds, lambda r: r.ours.requests_per_second / r.worldless.requests_per_second)
    lost = sum(r.usual.lost for r in rounds)
    return [
        Row(
            f"requests/s, {connections} connections, each answer awaits the broker, without the world",
            f"{middle(rounds, lambda r: r.worldless.requests_per_second):,.0f}",
            f"{middle(rounds, lambda r: r.usual.requests_per_second):,.0f}, the usual way, which awaits nothing",
            spread(speed),
            "at least 2x",
            median(speed) >= 2,
        ),
        Row(
            "requests/s, with the world and without it",
            f"{middle(rounds, lambda r: r.ours.requests_per_second):,.0f}",
            f"{middle(rounds, lambda r: r.worldless.requests_per_second):,.0f} without the world",
            spread(world),
            "at least 0.7x",
            median(world) >= 0.7,
        ),
        Row(
            "requests/s that the world decides, and those that depend on nothing without it",
            f"{middle(rounds, lambda r: r.decided.requests_per_second):,.0f}",
            f"{middle(rounds, lambda r: r.worldless.requests_per_second):,.0f} without the world",
            spread(ratios(rounds, lambda r: r.decided.requests_per_second / r.worldless.requests_per_second)),
        ),
        Row(
            "p50 / p99 of an answer, with the world",
            f"{middle(rounds, lambda r: r.ours.p50_ms):.1f} / {middle(rounds, lambda r: r.ours.p99_ms):.1f} ms",
        ),
        Row(
            "CPU per event, with the world (its store and projection too) and without it",
            f"{middle(rounds, lambda r: r.ours.cpu_per_event):.0f} µs",
            f"{middle(rounds, lambda r: r.worldless.cpu_per_event):.0f} µs without the world",
            spread(ratios(rounds, lambda r: r.ours.cpu_per_event / r.worldless.cpu_per_event)),
        ),
        Row(
            "p50 / p99 of an answer, without the world",
            f"{middle(rounds, lambda r: r.worldless.p50_ms):.1f} / {p99:.1f} ms",
            f"{middle(rounds, lambda r: r.usual.p50_ms):.1f} / {middle(rounds, lambda r: r.usual.p99_ms):.1f} ms",
            spread(ratios(rounds, lambda r: r.worldless.p99_ms / r.usual.p99_ms)),
            "p99 at most 50 ms",
            p99 <= 50,
        ),
        Row(
            "CPU per event in Kafka, without the world",
            f"{middle(rounds, lambda r: r.worldless.cpu_per_event):.0f} µs",
            f"{middle(rounds, lambda r: r.usual.cpu_per_event):.0f} µs; {lost} events lost",
            spread(ratios(rounds, lambda r: r.worldless.cpu_per_event / r.usual.cpu_per_event)),
        ),
        Row(
            f"events/s per core, bulk requests of {api.BULK}",
            f"{middle(rounds, lambda r: r.bulk.events_per_core):,.0f}",
            f"{middle(rounds, lambda r: r.bare.events_per_core):,.0f}, a bare producer loop with the same guarantees",
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
            reach="RSS under 80 MB",
            reached=memory["RSS"] < 80 * MEGABYTE,
        ),
    ]
