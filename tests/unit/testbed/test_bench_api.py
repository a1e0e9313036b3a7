"""The measurements of the API: its load generator, the servers it is compared with, and their rows."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from game_api.settings import Settings as ApiSettings
from testbed.bench import traffic
from testbed.bench.answers import Answers
from testbed.bench.api import Crowd, Round, Run
from testbed.bench.api_rows import api_rows, contenders
from testbed.bench.cost import BenchError
from testbed.bench.go_collector import UnavailableError
from testbed.bench.load import Answer, parse, play
from testbed.bench.report import Row
from testbed.bench.servers import Servers
from testbed.percentile import percentile
from testbed.settings import Settings
from testbed.stack.stack import Stack

MEMORY = {"RSS": 60_000_000}


def result(speed: float, cpu_us: float = 100) -> Run:
    """A second at this many requests, each of this much CPU and one event."""
    return Run(round(speed), 1, round(speed), 0, 10, 20, cpu_us * round(speed) / 1e6, 50 * round(speed) / 1e6)


ROUND = Round(
    ours=result(900, 200),
    decided=result(800, 300),
    worldless=result(1000, 140),
    collector=result(20_000, 40),
    gunicorn=result(1250, 400),
    flask=result(500, 800),
    bulk={100: result(1000, 10), 1000: result(1000, 7)},
    raw=result(5000, 4),
    health={"ours": result(5000, 60), "collector": result(1, 10), "gunicorn": result(1, 70), "flask": result(1, 90)},
    crowd=Crowd(0.6, 0.4, 1500, 4900),
)


def rows(one: Round = ROUND, why_not: str = "") -> list[Row]:
    return api_rows([one], MEMORY, 32, contenders("a Go collector", why_not))


def outcomes(found: list[Row], target: str) -> set[tuple[str, bool | None]]:
    return {(row.what.split(",")[0], row.met) for row in found if row.target.startswith(target)}


@pytest.mark.parametrize(
    ("received", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Answer(200, closes=False)),
        (b"HTTP/1.1 503 Unavailable\r\ncontent-length:0\r\nConnection: close\r\n\r\n", Answer(503, closes=True)),
        (
            b"HTTP/1.1 503 Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n",
            Answer(503, closes=False, retry_after=2),
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", None),
        (b"HTTP/1.1 200 OK\r\nContent-Le", None),
    ],
)
def test_an_answer_is_parsed_once_it_is_complete(received: bytes, answer: Answer | None) -> None:
    assert parse(received) == answer


@contextmanager
def refusing(statuses: list[int], retry_after: int) -> Iterator[tuple[int, list[float]]]:
    """A server that answers with these statuses and Retry-After, and then with 200: its port, and when it was asked."""
    requested: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            requested.append(time.monotonic())
            status = statuses.pop(0) if statuses else 200
            self.send_response(status)
            if status != 200:
                self.send_header("Retry-After", str(retry_after))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, requested
        server.shutdown()


def test_a_refused_client_waits_before_it_tries_again() -> None:
    """Retry-After is respected, and the times of each status are kept apart."""
    with refusing([503], retry_after=1) as (port, requested):
        times = play(port, 1, 4, traffic.health_requests()[:1])["microseconds"]
    assert {status: len(each) for status, each in times.items()} == {503: 1, 200: len(requested) - 1}
    assert requested[1] - requested[0] >= 1


def test_a_waiting_client_does_not_prolong_a_measurement() -> None:
    """A client that was asked to come back after the end of the load does not come back."""
    with refusing([503], retry_after=50) as (port, requested):
        taken = play(port, 1, 0.5, traffic.health_requests()[:1])
    assert len(requested) == 1
    assert taken["seconds"] < 50


def test_other_statuses_than_200_fail_a_measurement() -> None:
    printed = {"seconds": 2.0, "microseconds": {"200": [3000, 1000, 2000], "503": [10]}}
    with pytest.raises(BenchError, match=r"api: expected only status 200, got \{200: 3, 503: 1\}"):
        Answers.of(printed).only_ok("api")
    del printed["microseconds"]["503"]
    assert Answers.of(printed).only_ok("api") == [1000, 2000, 3000]


def test_a_crowd_is_acknowledged_or_refused_at_once() -> None:
    """Times are those of acknowledged requests; a refusal after a second, and any other status, count as others."""
    times = {200: [800_000, 900_000, 4_000_000], 503: [1000, 1_000_000, 1_000_001], 500: [5], 429: [5]}
    crowd = Crowd.of(Answers(10, times))
    assert (crowd.acknowledged, crowd.refused_at_once, crowd.others) == (0.375, 0.25, 0.375)
    assert (crowd.p50_ms, crowd.p99_ms) == (900, 4000)
    with pytest.raises(BenchError, match=r"expected acknowledged requests, got \{503: 1\}"):
        Crowd.of(Answers(10, {503: [5]}))


def test_every_server_is_compared_by_its_name() -> None:
    """Rates, cost and latencies are compared with the Go collector, gunicorn and Flask's development server."""
    found = rows()
    for server, speed in (("a Go collector", "0.05"), ("gunicorn (gthread)", "0.80"), ("Flask's development", "2.00")):
        compared = [row for row in found if server in row.comparison]
        assert len(compared) == 5
        assert compared[0].ratio.startswith(speed)


def test_each_target_is_met_or_missed() -> None:
    """The targets for CPU, for shares of the collector and of a raw producer, and for a crowd are all judged."""
    found = rows()
    assert outcomes(found, "at most 150 µs") == {("CPU per request", True)}
    assert outcomes(found, "at most 230 µs") == {("CPU per request of the API's processes", True)}
    assert outcomes(found, "at most 50 µs") == {("CPU per request of `/healthz`", False)}
    assert outcomes(found, "at least 0.25x") == {("requests per core second", True)}
    assert outcomes(found, "at least 0.4x") == {("events per core second", True)}
    assert outcomes(found, "at least 0.5x") == {("events per core second", True)}
    assert {met for _, met in outcomes(found, "p99 at most 5 s")} == {True}
    worse = rows(
        replace(
            ROUND,
            ours=result(900, 231),
            worldless=result(1000, 161),
            bulk={100: result(1000, 11), 1000: result(1000, 9)},
            crowd=Crowd(0.6, 0.3, 1500, 4900),
        )
    )
    for target in (
        "at most 150 µs",
        "at most 230 µs",
        "at least 0.25x",
        "at least 0.4x",
        "at least 0.5x",
        "p99 at most 5 s",
    ):
        assert {met for _, met in outcomes(worse, target)} == {False}, target


def test_an_unavailable_collector_keeps_its_rows() -> None:
    """Without Go, the collector's rows say why, and its target is not measured."""
    found = rows(replace(ROUND, collector=None), why_not="go is not on the PATH")
    compared = [row for row in found if "a Go collector" in row.comparison]
    assert len(compared) == 5
    assert {row.comparison.split(":")[0] for row in compared} == {"unavailable (go is not on the PATH)"}
    assert outcomes(found, "at least 0.25x") == {("requests per core second", None)}


def test_without_go_the_collector_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is Go's absence, or the last line that a failed build printed."""
    servers = Servers(Stack(Settings.isolated(tmp_path / "data")))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert isinstance(servers.collector, UnavailableError)
    assert str(servers.collector) == "go is not on the PATH"
    assert servers.collector not in servers.acknowledging
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho one >&2\necho 'go.mod requires go >= 1.26.0' >&2\nexit 1\n")
    go.chmod(0o755)
    another = Servers(Stack(Settings.isolated(tmp_path / "data"))).collector
    assert str(another) == "go build: go.mod requires go >= 1.26.0"


def test_the_world_is_measured_with_its_limits(tmp_path: Path) -> None:
    """The API with a world, and that for bulk requests, have limits; gunicorn has as many workers, with 32 threads."""
    servers = Servers(Stack(Settings.isolated(tmp_path)))
    for server in (servers.ours, servers.limited):
        used = ApiSettings.from_environment(server.process.program.environment)
        assert min(used.player_rate, used.player_burst, used.address_rate, used.address_burst) >= 100_000
        assert used.world_url
    given = servers.gunicorn.process.program.command
    for option, value in (("--workers", used.workers), ("--threads", 32), ("--worker-class", "gthread")):
        assert given[given.index(option) + 1] == str(value)
    assert servers.flask.process.program.environment == servers.gunicorn.process.program.environment


def test_percentiles_are_measured_values() -> None:
    times = [float(one) for one in range(1, 201)]
    assert (percentile(times, 0.5), percentile(times, 0.99), percentile([7.0], 0.99)) == (100, 198, 7)
