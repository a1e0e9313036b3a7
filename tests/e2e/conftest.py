"""The cluster under test: made by `make kind`, deleted at the end, but with KEEP=1."""

import os
import signal
import subprocess
from collections.abc import Generator, Iterator

import pytest
from testbed.cluster.cluster import Cluster
from testbed.cluster.port_forward import ways_in
from testbed.cluster.prerequisites import missing
from testbed.settings import ROOT

from tests.e2e.installation import SETTINGS, Installation, make

# A test run that is told to end deletes its cluster, as one does that is interrupted.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    if said := missing():
        pytest.skip(f"no cluster can be made: {'; '.join(said)}")
    try:
        make("kind")
        yield Cluster(SETTINGS)
    finally:
        if not os.environ.get("KEEP"):
            make("kind-down")


@pytest.fixture(scope="package")
def installation(cluster: Cluster) -> Iterator[Installation]:
    with ways_in(cluster) as settings:
        yield Installation(cluster, settings)


@pytest.fixture(scope="package")
def demonstration(installation: Installation) -> str:
    """What `make kind-demo` says."""
    return make("kind-demo")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell with every failure what the cluster says of it."""
    report = yield
    cluster = Cluster(SETTINGS)
    if report.failed and cluster.kubeconfig.exists():
        script = [str(ROOT / "hack/collect-logs"), cluster.namespace, "operators"]
        told = subprocess.run(script, env=cluster.environment, capture_output=True, text=True, check=False)
        report.sections.append(("what the cluster says", told.stdout + told.stderr))
    return report
