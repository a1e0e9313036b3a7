"""The cluster under test: `make kind` creates it, and it is deleted at the end unless KEEP=1."""

import os
import signal
import subprocess
from collections.abc import Generator, Iterator

import pytest
from testbed.cluster.cluster import Cluster
from testbed.cluster.port_forward import port_forwards
from testbed.cluster.prerequisites import missing
from testbed.settings import ROOT
from testbed.stack.process import log_tail

from tests.e2e.installation import SETTINGS, Installation, make

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


@pytest.fixture(scope="package")
def demonstration(installation: Installation) -> str:
    """The output of `make kind-demo`."""
    return make("kind-demo")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the cluster's state and logs to the report of every failure."""
    report = yield
    cluster = Cluster(SETTINGS)
    if report.failed and cluster.kubeconfig.exists():
        script = [str(ROOT / "hack/collect-logs"), cluster.namespace, "operators"]
        logs = subprocess.run(script, env=cluster.environment, capture_output=True, text=True, check=False)
        report.sections.append(("state and logs of the cluster", logs.stdout + logs.stderr))
        forwards = sorted((cluster.settings.data / "logs").glob("forward-*.log"))
        report.sections.append(("port-forwards", "\n".join(f"{one.name}: {log_tail(one)}" for one in forwards)))
    return report
