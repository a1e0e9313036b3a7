"""The API's rows of the table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from testbed.bench import api
from testbed.bench.report import Row, middle, ratios, spread
from testbed.bench.servers import GTHREAD_THREADS

MEGABYTE = 1_000_000
_BULK_TARGETS = {100: 0.4, 1000: 0.5}
"""The least share of a raw producer's events per core, by events per request."""
_COLLECTOR_SHARE = 0.25
_UNCONDITIONAL = "each answer waits for the broker, without the world"


@dataclass(frozen=True)
class Contender:
    """A server that the API is compared with; `pick` is its result in a round, without which `why_not` is the reason.

    `server` is its name among the results of `/healthz`.
    """

    server: str
    name: str
    pick: Callable[[api.Round], api.Run | None]
    why_not: str = ""

    def of(self, one: api.Round) -> api.Run:
        run = self.pick(one)
        assert run is not None, self.name  # noqa: S101 for the type checker: `why_not` is empty
        return run

    @property
    def unavailable(self) -> str:
        return f"unavailable ({self.why_not}): {self.name}"


def contenders(collector: str, why_not: str = "") -> list[Contender]:
    """Return what the API is compared with; `why_not` is the reason if the Go collector of this name is unavailable."""
    naive = "the naive baseline under"
    return [
        Contender("collector", f"{collector}, waiting for the broker too", lambda r: r.collector, why_not),
        Contender(
            "gunicorn",
            f"{naive} gunicorn (gthread), as many workers, {GTHREAD_THREADS} threads each, waiting for nothing",
            lambda r: r.gunicorn,
        ),
        Contender("flask", f"{naive} Flask's development server, waiting for nothing", lambda r: r.flask),
    ]


def api_rows(
    rounds: Sequence[api.Round], memory: dict[str, int], connections: int, others: Sequence[Contender]
) -> list[Row]:
    """Return the rows; the target of the Go collector is that of the first of the `others`."""
    return [
        *(_speed(rounds, connections, one) for one in others),
        *(_per_core(rounds, one) for one in others),
        *(_cost(rounds, one) for one in others),
        *(_answers(rounds, one) for one in others),
        *_world(rounds),
        *(row for size in api.BULKS for row in _bulk(rounds, size, connections)),
        *(_health(rounds, one) for one in others),
        _crowd(rounds),
        Row(
            "memory of the largest worker",
            ", ".join(f"{name} {size / MEGABYTE:.0f} MB" for name, size in memory.items()),
            target="RSS under 80 MB",
            met=memory["RSS"] < 80 * MEGABYTE,
        ),
    ]


def _speed(rounds: Sequence[api.Round], connections: int, other: Contender) -> Row:
    what = f"requests/s, {connections} connections, {_UNCONDITIONAL}"
    value = f"{middle(rounds, lambda r: r.worldless.requests_per_second):,.0f}"
    target = "at least 2x" if other.server == "flask" else ""
    if other.why_not:
        return Row(what, value, other.unavailable, target=target)
    speed = ratios(rounds, lambda r: r.worldless.requests_per_second / other.of(r).requests_per_second)
    theirs = middle(rounds, lambda r: other.of(r).requests_per_second)
    return Row(
        what, value, f"{theirs:,.0f}, {other.name}", spread(speed), target, median(speed) >= 2 if target else None
    )


def _per_core(rounds: Sequence[api.Round], other: Contender) -> Row:
    what = "requests per core second, without the world"
    value = f"{middle(rounds, lambda r: r.worldless.requests_per_core):,.0f}"
    target = f"at least {_COLLECTOR_SHARE}x (0.35x hoped for)" if other.server == "collector" else ""
    if other.why_not:
        return Row(what, value, other.unavailable, target=target)
    share = ratios(rounds, lambda r: r.worldless.requests_per_core / other.of(r).requests_per_core)
    return Row(
        what,
        value,
        f"{middle(rounds, lambda r: other.of(r).requests_per_core):,.0f}, {other.name}",
        spread(share),
        target,
        median(share) >= _COLLECTOR_SHARE if target else None,
    )


def _cost(rounds: Sequence[api.Round], other: Contender) -> Row:
    what = "CPU per request, without the world"
    ours = middle(rounds, lambda r: r.worldless.cpu_per_request)
    value, target, met = f"{ours:.0f} µs", "at most 150 µs", ours <= 150
    if other.why_not:
        return Row(what, value, other.unavailable, target=target, met=met)
    lost = sum(other.of(r).lost for r in rounds)
    theirs = middle(rounds, lambda r: other.of(r).cpu_per_request)
    ratio = spread(ratios(rounds, lambda r: r.worldless.cpu_per_request / other.of(r).cpu_per_request))
    return Row(what, value, f"{theirs:.0f} µs, {other.name}; {lost} events lost", ratio, target, met)


def _answers(rounds: Sequence[api.Round], other: Contender) -> Row:
    what = "p50 / p99 of an answer, without the world"
    p50, p99 = middle(rounds, lambda r: r.worldless.p50_ms), middle(rounds, lambda r: r.worldless.p99_ms)
    value, target, met = f"{p50:.1f} / {p99:.1f} ms", "p99 at most 50 ms", p99 <= 50
    if other.why_not:
        return Row(what, value, other.unavailable, target=target, met=met)
    theirs = (
        f"{middle(rounds, lambda r: other.of(r).p50_ms):.1f} / {middle(rounds, lambda r: other.of(r).p99_ms):.1f} ms"
    )
    ratio = spread(ratios(rounds, lambda r: r.worldless.p99_ms / other.of(r).p99_ms))
    return Row(what, value, f"{theirs}, {other.name}", ratio, target, met)


def _world(rounds: Sequence[api.Round]) -> Iterator[Row]:
    without = f"{middle(rounds, lambda r: r.worldless.requests_per_second):,.0f} without the world"
    world = ratios(rounds, lambda r: r.ours.requests_per_second / r.worldless.requests_per_second)
    yield Row(
        "requests/s, with the world and its limits, and without both",
        f"{middle(rounds, lambda r: r.ours.requests_per_second):,.0f}",
        without,
        spread(world),
        "at least 0.7x",
        median(world) >= 0.7,
    )
    yield Row(
        "requests/s decided by the world, with limits, and unconditional ones without both",
        f"{middle(rounds, lambda r: r.decided.requests_per_second):,.0f}",
        without,
        spread(ratios(rounds, lambda r: r.decided.requests_per_second / r.worldless.requests_per_second)),
    )
    yield Row(
        "p50 / p99 of an answer, with the world and its limits",
        f"{middle(rounds, lambda r: r.ours.p50_ms):.1f} / {middle(rounds, lambda r: r.ours.p99_ms):.1f} ms",
    )
    cost = middle(rounds, lambda r: r.ours.cpu_per_request)
    yield Row(
        "CPU per request of the API's processes, with the world and its limits, and without both",
        f"{cost:.0f} µs",
        f"{middle(rounds, lambda r: r.worldless.cpu_per_request):.0f} µs without the world",
        spread(ratios(rounds, lambda r: r.ours.cpu_per_request / r.worldless.cpu_per_request)),
        "at most 230 µs",
        cost <= 230,
    )
    yield Row(
        "CPU per request, with the world: its limits, store and projection too",
        f"{middle(rounds, lambda r: r.ours.cpu_per_request_beside):.0f} µs",
        f"{middle(rounds, lambda r: r.decided.cpu_per_request_beside):.0f} µs of a request that the world decides",
    )


def _bulk(rounds: Sequence[api.Round], size: int, connections: int) -> Iterator[Row]:
    share, least = ratios(rounds, lambda r: r.bulk[size].events_per_core / r.raw.events_per_core), _BULK_TARGETS[size]
    yield Row(
        f"events per core second, bulk requests of {size:,}, with limits",
        f"{middle(rounds, lambda r: r.bulk[size].events_per_core):,.0f}",
        f"{middle(rounds, lambda r: r.raw.events_per_core):,.0f}, a raw producer loop with the same guarantees",
        spread(share),
        f"at least {least}x",
        median(share) >= least,
    )
    p50, p99 = middle(rounds, lambda r: r.bulk[size].p50_ms), middle(rounds, lambda r: r.bulk[size].p99_ms)
    yield Row(f"p50 / p99 of a bulk request of {size:,}, {connections} connections", f"{p50:.0f} / {p99:.0f} ms")


def _health(rounds: Sequence[api.Round], other: Contender) -> Row:
    what = "CPU per request of `/healthz`"
    ours = middle(rounds, lambda r: r.health["ours"].cpu_per_request)
    value, target, met = f"{ours:.0f} µs", "at most 50 µs", ours <= 50
    if other.why_not:
        return Row(what, value, other.unavailable, target=target, met=met)
    theirs = middle(rounds, lambda r: r.health[other.server].cpu_per_request)
    ratio = ratios(rounds, lambda r: r.health["ours"].cpu_per_request / r.health[other.server].cpu_per_request)
    return Row(what, value, f"{theirs:.0f} µs, {other.name.partition(', waiting')[0]}", spread(ratio), target, met)


def _crowd(rounds: Sequence[api.Round]) -> Row:
    p50, p99 = middle(rounds, lambda r: r.crowd.p50_ms / 1000), middle(rounds, lambda r: r.crowd.p99_ms / 1000)
    refused, others = middle(rounds, lambda r: r.crowd.refused_at_once), middle(rounds, lambda r: r.crowd.others)
    return Row(
        f"p50 / p99 of acknowledged requests, {api.SLOW_CONNECTIONS:,} connections, a broker that answers after 0.7 s",
        f"{p50:.2f} / {p99:.2f} s; {refused:.0%} of all refused at once, {others:.0%} refused later or otherwise",
        target="p99 at most 5 s, the rest refused at once",
        met=p99 <= 5 and max(one.crowd.others for one in rounds) <= 0,
    )
