"""The cluster under test: `make kind` creates it, and it is deleted at the end unless KEEP=1."""

import os
import signal
from collections.abc import Generator, Iterator

import pytest
from testbed.cluster.cluster import RELEASE, Cluster
from testbed.cluster.deployment import await_ready
from testbed.cluster.port_forward import port_forwards
from testbed.cluster.prerequisites import missing
from testbed.cluster.progress import Progress

from tests.e2e.installation import SETTINGS, Installation, make
from tests.e2e.reports import add_logs

# A test run deletes its cluster on SIGTERM, as on Ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    if problems := missing():
        pytest.skip(f"no cluster can be created: {'; '.join(problems)}")
    try:
        make("kind")
        yield Cluster(SETTINGS)
    finally:
        if not os.environ.get("KEEP"):
            make("kind-down")


@pytest.fixture(scope="package")
def installation(cluster: Cluster) -> Iterator[Installation]:
    with port_forwards(cluster) as settings:
        yield Installation(cluster, settings)


@pytest.fixture
def release(installation: Installation) -> Iterator[str]:
    """The release's name; changes by the test are rolled back after it."""
    revision = installation.revision()
    yield RELEASE
    if installation.revision() != revision:
        installation.cluster.helm("rollback", RELEASE, revision)
        await_ready(installation.cluster, Progress())


@pytest.fixture(scope="package")
def demonstration(installation: Installation) -> str:
    """The output of `make kind-demo`."""
    return make("kind-demo")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    add_logs(report, Cluster(SETTINGS))
    return report
