"""The admin port: what it answers, and what only it answers."""

import pytest

from tests.unit.game_api.memory_log import MemoryLog, client_of

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


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_players_do_not_see_the_operators_paths(method: str, path: str) -> None:
    """Metrics, readiness and the dashboard with its files are a 404 on the players' port."""
    assert client_of(MemoryLog(), is_admin=True).open(path, method=method).status_code in (200, 503)
    assert client_of(MemoryLog()).open(path, method=method).status_code == 404
    assert client_of(MemoryLog()).open(f"{path}/", method=method).status_code == 404


@pytest.mark.parametrize(("method", "path"), PUBLIC)
def test_the_admin_port_has_no_effect_on_the_game(method: str, path: str) -> None:
    """The admin port knows no action, no bulk requests and no page of the game."""
    log = MemoryLog()
    assert client_of(log, is_admin=True).open(path, method=method).status_code == 404
    assert not log.records
    assert client_of(log).open(path, method=method).status_code != 404


def test_both_ports_tell_whether_the_process_is_alive() -> None:
    """Load balancers ask the players' port, and probes the admin port."""
    for is_admin in (False, True):
        assert client_of(MemoryLog(), is_admin).get("/healthz").status_code == 200


def test_the_description_has_only_the_players_paths() -> None:
    """The OpenAPI document describes what its own port answers."""
    paths = client_of(MemoryLog()).get("/openapi.json").json["paths"]
    assert paths.keys().isdisjoint(ADMIN)
