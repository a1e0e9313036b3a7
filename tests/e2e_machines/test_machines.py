"""Whichever machine is lost, events are accepted and become rows, and nothing is lost or doubled."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.cluster.cluster import RELEASE
from testbed.cluster.deployment import await_ready
from testbed.cluster.machines import ZONES
from testbed.cluster.progress import Progress
from testbed.faults.reader import Reader
from testbed.waiting import wait_until

from tests.e2e.connections import check
from tests.e2e.installation import PATIENCE, SELECTORS, Installation
from tests.e2e.traffic import traffic
from tests.e2e_machines.machine import Machine

pytestmark = pytest.mark.timeout(3600)

_RATE = 5
"""Events per second: after each turn the ledger compares all that there ever were."""
_ACKNOWLEDGED = 60
"""Seconds until an event is acknowledged, once Kubernetes knows: Kafka needs less to move its leaders."""
_REPLACED = 300
"""Seconds until Deployments are ready elsewhere: half a minute until their pods leave a machine that does not answer,
and the start of Java programs, on two cores for all machines of this cluster."""

_TURNS = pytest.mark.parametrize("turn", range(len(ZONES)))


@pytest.fixture(scope="module", autouse=True)
def load(installation: Installation) -> Iterator[Reader]:
    """Traffic during all tests of this module."""
    with traffic(installation, _RATE) as reader:
        yield reader


def serves(installation: Installation, machine: Machine, load: Reader) -> None:
    """Check that everything works without a machine."""
    progress = Progress()
    installation.await_acknowledgement(_ACKNOWLEDGED)
    progress.say("an acknowledgement")
    machine.await_replacements(_REPLACED)
    progress.say(f"Deployments are ready without {machine.name}")
    installation.await_fresh_row()
    progress.say("a fresh row")
    wait_until("the stream", lambda: installation.job_state("stream") == "RUNNING", PATIENCE, pause=1)
    assert not machine.pods(SELECTORS["driver"])
    assert load.errors == []


def has_recovered(installation: Installation) -> None:
    """Check that all copies are back, and that nothing was lost or doubled."""
    await_ready(installation.cluster, Progress())
    installation.await_fresh_row()
    assert installation.differences() == {}


def test_copies_are_on_different_machines(installation: Installation, machines: list[Machine]) -> None:
    """Brokers, controllers, NameNodes and what decides between them: no machine has two of a kind."""
    names = ("events-broker", "events-controller", "namenode", "journalnode", "zookeeper", "datanode")
    pods = {machine.name: machine.pods() for machine in machines}
    for name in names:
        found = {where: [pod for pod in here if pod.startswith(f"{name}-")] for where, here in pods.items()}
        assert max(map(len, found.values())) == 1, found


def test_every_part_answers(installation: Installation) -> None:
    """`helm test` passes, with TLS and tokens."""
    installation.cluster.helm("test", RELEASE, "--timeout", "10m")


def test_only_allowed_connections_succeed(installation: Installation, tmp_path: Path) -> None:
    """Network policies hold between machines, too."""
    check(installation, tmp_path)


def test_a_backup_is_made(installation: Installation) -> None:
    """The CronJob's Job succeeds: with the policies enforced it gets what it asks for, and writes its volume."""
    cluster = installation.cluster
    cluster.kubectl("create", "job", "--from=cronjob/backup", "backup-now")

    def result() -> set[str]:
        """Return whether it is Complete or Failed; nothing while it runs."""
        conditions = (cluster.api.get("Job", "backup-now") or {}).get("status", {}).get("conditions", [])
        return {one["type"] for one in conditions if one["status"] == "True"} & {"Complete", "Failed"}

    assert wait_until("the backup", result, 600, pause=1) == {"Complete"}
    cluster.kubectl("delete", "job", "backup-now")


@_TURNS
def test_a_machine_is_lost(installation: Installation, machines: list[Machine], load: Reader, turn: int) -> None:
    """What can start elsewhere does, the copies serve, and the stream goes on; then the machine returns."""
    with machines[turn].lost():
        serves(installation, machines[turn], load)
    has_recovered(installation)


@_TURNS
def test_a_machine_is_drained(installation: Installation, machines: list[Machine], load: Reader, turn: int) -> None:
    """The same for a machine that is emptied for maintenance; no budget blocks it."""
    with machines[turn].drained():
        serves(installation, machines[turn], load)
    has_recovered(installation)
