"""A cluster of three machines with the layout of values-ha.yaml; it is deleted at the end unless KEEP=1."""

import base64
import os
import signal
import time
from collections.abc import Callable, Generator, Iterator
from functools import cache

import pytest
from game_api.identity.player_tokens import PlayerTokens
from game_events.names import prepared
from testbed.cluster.cluster import Cluster
from testbed.cluster.port_forward import port_forwards
from testbed.cluster.prerequisites import missing
from testbed.cluster.settings import Settings

from tests.e2e.installation import SELECTORS, Installation, make
from tests.e2e.reports import add_logs
from tests.e2e_machines.machine import Machine

CHOSEN = {"CLUSTER": "gamelake-machines", "MACHINES": "3"}
SETTINGS = Settings.from_environment({**os.environ, **CHOSEN})

# A test run deletes its cluster on SIGTERM, as on Ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    if problems := missing():
        pytest.skip(f"no cluster can be created: {'; '.join(problems)}")
    try:
        make("kind", **CHOSEN)
        yield Cluster(SETTINGS)
    finally:
        if not os.environ.get("KEEP"):
            make("kind-down", **CHOSEN)


@pytest.fixture(scope="package")
def issue(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Makes a token for a player, as an operator does."""
    secret = cluster.api.get("Secret", "api-players")
    assert secret
    file = tmp_path_factory.mktemp("players") / "secrets"
    file.write_bytes(base64.b64decode(secret["data"]["secrets"]))
    tokens = PlayerTokens(str(file), days=1)
    # Another one with an earlier claim would end the first.
    claimed_at = -int(time.time() * 1000)
    return cache(lambda player: tokens.issue(prepared("player", player), claimed_at))


@pytest.fixture(scope="package")
def installation(cluster: Cluster, issue: Callable[[str], str]) -> Iterator[Installation]:
    with port_forwards(cluster) as settings:
        yield Installation(cluster, settings, issue)


@pytest.fixture(scope="package")
def machines(installation: Installation) -> list[Machine]:
    """Those that may be lost, first the one of the stream's driver."""
    found = [Machine(installation.cluster, name) for name in installation.cluster.workers]
    return sorted(found, key=lambda machine: not machine.pods(SELECTORS["driver"]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    add_logs(report, Cluster(SETTINGS))
    return report
