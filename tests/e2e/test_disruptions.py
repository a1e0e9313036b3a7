"""Whatever fails, no acknowledged event is lost or duplicated."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from testbed.cluster.command import KindError
from testbed.faults.reader import Reader
from testbed.waiting import wait_until

from tests.e2e.installation import PATIENCE, SELECTORS, Installation
from tests.e2e.traffic import traffic

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module", autouse=True)
def load(installation: Installation) -> Iterator[Reader]:
    """Traffic during all tests of this module."""
    with traffic(installation) as reader:
        yield reader


@pytest.mark.parametrize("part", SELECTORS)
def test_a_pod_is_deleted(installation: Installation, load: Reader, part: str) -> None:
    """Another pod replaces it, and events become rows again."""
    installation.delete_pod(part)
    print(f"{part}: a fresh row {installation.await_fresh_row():.0f} s after another pod was ready")
    assert load.errors == []


def test_a_failed_stream_restarts(installation: Installation) -> None:
    """A driver whose Java process is killed fails, and the operator starts another one."""
    driver = installation.pod("driver")
    kill = "for one in /proc/[0-9]*; do [[ $(<$one/comm) != java ]] || kill -9 ${one#/proc/}; done"
    # The shell may be killed with its container.
    with suppress(KindError):
        installation.cluster.execute(driver.name, "bash", "-c", kill)
    wait_until("its end", lambda: driver.uid not in [pod.uid for pod in installation.pods("driver")], PATIENCE, pause=1)
    wait_until("the stream", lambda: installation.job_state("stream") == "RUNNING", PATIENCE, pause=1)
    installation.await_fresh_row()


def test_nothing_was_lost_or_duplicated(installation: Installation) -> None:
    """After all of these disruptions the ledger finds no difference."""
    assert installation.differences() == {}
