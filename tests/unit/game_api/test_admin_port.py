"""The admin port: what it answers, and what only it answers."""

from typing import NamedTuple

import pytest
from game_api import create_app
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog

ADMIN = [
    "/readyz",
    "/metrics",
    "/dashboard",
    "/dashboard/data",
    "/static/dashboard.css",
    "/static/dashboard.js",
    "/static/plots.js",
    "/static/sections.js",
]
PUBLIC = [
    ("GET", "/"),
    ("POST", "/purchase_a_sword"),
    ("POST", "/events"),
    ("OPTIONS", "/events"),
    ("GET", "/world"),
    ("GET", "/heroes/ada"),
    ("GET", "/actions"),
    ("GET", "/play"),
    ("GET", "/static/play.js"),
    ("GET", "/openapi.json"),
]


class Ports(NamedTuple):
    """Clients of the two ports of one service."""

    public: Client
    admin: Client
    log: MemoryLog


@pytest.fixture(scope="module")
def ports() -> Ports:
    log = MemoryLog()
    service = create_app(log)
    return Ports(client_for(service), client_for(service, is_admin=True), log)


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_players_do_not_see_the_operators_paths(ports: Ports, method: str, path: str) -> None:
    """Metrics, readiness and the dashboard with its files are a 404 on the players' port."""
    assert ports.admin.open(path, method=method).status_code in (200, 503)
    assert ports.public.open(path, method=method).status_code == 404
    assert ports.public.open(f"{path}/", method=method).status_code == 404


@pytest.mark.parametrize(("method", "path"), PUBLIC)
def test_the_admin_port_has_no_effect_on_the_game(ports: Ports, method: str, path: str) -> None:
    """The admin port knows no action, no bulk requests and no page of the game."""
    before = len(ports.log.records)
    assert ports.admin.open(path, method=method).status_code == 404
    assert len(ports.log.records) == before
    assert ports.public.open(path, method=method).status_code != 404


def test_both_ports_tell_whether_the_process_is_alive(ports: Ports) -> None:
    """Load balancers ask the players' port, and probes the admin port."""
    assert (ports.public.get("/healthz").status_code, ports.admin.get("/healthz").status_code) == (200, 200)


def test_the_description_has_only_the_players_paths(ports: Ports) -> None:
    """The OpenAPI document describes what its own port answers."""
    paths = ports.public.get("/openapi.json").json["paths"]
    assert paths.keys().isdisjoint(ADMIN)


def test_the_admin_port_answers_however_many_requests_there_are() -> None:
    """Above the limit players are refused, but neither probes nor operators are."""
    service = create_app(MemoryLog(), most_requests=0)
    assert client_for(service).get("/").status_code == 503
    assert [client_for(service, is_admin=True).get(path).status_code for path in ("/readyz", "/metrics")] == [200, 200]
