"""The table of results, in Markdown, for README."""

import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median
from typing import TypeVar

import psutil
from local.settings import ROOT

from bench import api, batch

T = TypeVar("T")

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Row:
    """A figure; `reached` is None where nothing was set as a reach."""

    what: str
    ours: str
    compared: str = ""
    ratio: str = ""
    reach: str = ""
    reached: bool | None = None

    def __str__(self) -> str:
        verdict = "" if self.reached is None else f"{self.reach}: {'reached' if self.reached else '**missed**'}"
        return f"| {self.what} | {self.ours} | {self.compared} | {self.ratio} | {verdict} |"


def table(rows: Iterable[Row]) -> str:
    head = "| | gamelake | compared with | ratio | reach |\n|---|---|---|---|---|"
    return "\n".join([head, *map(str, rows)])


def api_rows(rounds: Sequence[api.Round], memory: dict[str, int], connections: int) -> list[Row]:
    speed = _ratios(rounds, lambda r: r.ours.requests_per_second / r.usual.requests_per_second)
    p99 = _median(rounds, lambda r: r.ours.p99_ms)
    per_core = _ratios(rounds, lambda r: r.bulk.events_per_core / r.bare.events_per_core)
    lost = sum(r.usual.lost for r in rounds)
    return [
        Row(
            f"requests/s, {connections} connections, each answer awaits the broker",
            f"{_median(rounds, lambda r: r.ours.requests_per_second):,.0f}",
            f"{_median(rounds, lambda r: r.usual.requests_per_second):,.0f}, the usual way, which awaits nothing",
            _range(speed),
            "at least 2x",
            median(speed) >= 2,
        ),
        Row(
            "p50 / p99 of an answer",
            f"{_median(rounds, lambda r: r.ours.p50_ms):.1f} / {p99:.1f} ms",
            f"{_median(rounds, lambda r: r.usual.p50_ms):.1f} / {_median(rounds, lambda r: r.usual.p99_ms):.1f} ms",
            _range(_ratios(rounds, lambda r: r.ours.p99_ms / r.usual.p99_ms)),
            "p99 at most 50 ms",
            p99 <= 50,
        ),
        Row(
            "CPU per event in Kafka",
            f"{_median(rounds, lambda r: r.ours.cpu_per_event):.0f} µs",
            f"{_median(rounds, lambda r: r.usual.cpu_per_event):.0f} µs; {lost} events lost",
            _range(_ratios(rounds, lambda r: r.ours.cpu_per_event / r.usual.cpu_per_event)),
        ),
        Row(
            f"events/s per core, bulk requests of {api.BULK}",
            f"{_median(rounds, lambda r: r.bulk.events_per_core):,.0f}",
            f"{_median(rounds, lambda r: r.bare.events_per_core):,.0f}, a bare producer loop with the same guarantees",
            _range(per_core),
            "at least 0.4x",
            median(per_core) >= 0.4,
        ),
        Row(
            f"p50 / p99 of a bulk request of {api.BULK}, {connections} connections",
            f"{_median(rounds, lambda r: r.bulk.p50_ms):.0f} / {_median(rounds, lambda r: r.bulk.p99_ms):.0f} ms",
        ),
        Row(
            "memory of the largest worker",
            ", ".join(f"{name} {size / MEGABYTE:.0f} MB" for name, size in memory.items()),
            reach="RSS under 80 MB",
            reached=memory["RSS"] < 80 * MEGABYTE,
        ),
    ]


def batch_rows(rounds: Sequence[batch.Round]) -> list[Row]:
    def row(what: str, figure: Callable[[batch.Load], float]) -> Row:
        ours, plain = _median(rounds, lambda r: figure(r.ours)), _median(rounds, lambda r: figure(r.plain))
        ratios = _ratios(rounds, lambda r: figure(r.ours) / figure(r.plain))
        return Row(f"batch job, {what}", f"{ours:,.0f}", f"{plain:,.0f}, from_json into plain Parquet", _range(ratios))

    return [
        row("events/s per core", lambda load: load.events_per_core),
        row("events/s per core without Spark's start-up", lambda load: load.events_per_core_started),
        row(f"events/s, start to end, {rounds[0].ours.events:,} events", lambda load: load.events_per_second),
    ]


def machine() -> str:
    """Where it was measured, in one line."""
    pinned = dict(
        line.split("=", 1) for line in (ROOT / "hack/versions.env").read_text().splitlines() if line[:1].isalpha()
    )
    parts = [f"{name} {version(name)}" for name in ("Flask", "gunicorn", "confluent-kafka")]
    parts += [f"{name} {pinned[f'{name.upper()}_VERSION']}" for name in ("Kafka", "Spark")]
    return (
        f"{os.cpu_count()} cores and {psutil.virtual_memory().total / 1e9:.0f} GB, shared by servers and clients; "
        f"Python {platform.python_version()}, {', '.join(parts)}"
    )


def _median(rounds: Sequence[T], figure: Callable[[T], float]) -> float:
    return median(map(figure, rounds))


def _ratios(rounds: Sequence[T], ratio: Callable[[T], float]) -> list[float]:
    return [ratio(one) for one in rounds]


def _range(ratios: Sequence[float]) -> str:
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
