"""Changed values of an installation: applied under load, or refused with the reason."""

from collections.abc import Iterator

import pytest
from testbed.cluster import images, jobs
from testbed.cluster.command import KindError, run
from testbed.cluster.deployment import CHART, VALUES, await_ready
from testbed.cluster.progress import Progress

from tests.e2e.installation import SELECTORS, Installation
from tests.e2e.traffic import traffic

pytestmark = pytest.mark.timeout(3600)

_CHANGED = (
    "api.replicas=2",
    "hdfs.datanode.heap=280m",
    "hive-metastore.heap=400m",
    "trino.coordinator.resources.requests.cpu=110m",
    "kafka.topic.retentionDays=8",
)


@pytest.fixture
def applied_stream(installation: Installation) -> Iterator[None]:
    """After the test the stream of spark-apps runs again."""
    yield
    jobs.delete(installation.cluster, "stream")
    jobs.apply(installation.cluster, "stream")
    jobs.await_state(installation.cluster, "stream", "RUNNING", Progress())


def test_changed_values_under_load(installation: Installation, release: str) -> None:
    """Servers are replaced one after the other, the topic keeps its records, and the ledger finds no difference."""
    changes = [part for change in _CHANGED for part in ("--set", change)]

    def servers() -> dict[str, set[str]]:
        parts = SELECTORS.keys() - {"driver", "executor"}
        return {part: {pod.uid for pod in installation.pods(part)} for part in parts}

    before = servers()
    with traffic(installation):
        installation.cluster.helm("upgrade", release, CHART, *VALUES, *changes)
        await_ready(installation.cluster, Progress())
        now = servers()
        assert {part for part in now if now[part].isdisjoint(before[part])} == {"datanode", "metastore", "trino"}
        assert {part for part in now if now[part] > before[part]} == {"api"}
        installation.await_fresh_row()
    assert installation.differences() == {}


def test_a_wait_ends_after_the_roll_of_kafka(installation: Installation, release: str) -> None:
    """A changed node pool replaces its pods, although the Kafka resource is ready all the while: the wait sees it."""
    before = {pod.uid for pod in installation.pods("broker")}
    installation.cluster.helm("upgrade", release, CHART, *VALUES, "--set", "kafka.heap=380m")
    await_ready(installation.cluster, Progress())
    now = installation.pods("broker")
    assert before.isdisjoint(pod.uid for pod in now)
    assert [pod.ready for pod in now] == [True] * len(before)


@pytest.mark.usefixtures("applied_stream")
def test_jobs_of_the_release(installation: Installation, release: str) -> None:
    """A release that gets jobs brings the tables up to date, and its stream replaces the one of another image."""
    cluster = installation.cluster
    before = installation.pod("driver")
    options = ["--take-ownership", "--timeout", "15m", "--set", "spark.jobs.names={stream}"]
    with traffic(installation):
        # The same image by another name.
        tag = f"{images.version()}-again"
        again = f"{images.tag('spark')}-again"
        run("docker", "tag", images.tag("spark"), again)
        images.load(cluster, [again])
        run("docker", "image", "rm", again)
        cluster.helm("upgrade", release, CHART, *VALUES, *options, "--set", f"spark.image.tag={tag}")
        jobs.await_state(cluster, "stream", "RUNNING", Progress())
        assert installation.pod("driver").uid != before.uid
        installation.await_fresh_row()
    assert installation.differences() == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("api.replicas=many", "replicas"),
        ("api.replica=2", "replica"),
        ("kafka.replicationFactor=3", "3 copies need as many nodes"),
        ("kafka.replicas=3", "the live cluster has 1 controllers"),
        ("kafka.controllers.replicas=3", "the live cluster has the pools dual"),
        ("kafka.topic.partitions=2", "Kafka cannot remove partitions"),
    ],
)
def test_wrong_values_are_refused(installation: Installation, release: str, change: str, reason: str) -> None:
    """A value that is invalid, or impossible for the live Kafka, is refused by name before anything changes."""
    before = installation.revision()
    with pytest.raises(KindError, match=reason):
        installation.cluster.helm("upgrade", release, CHART, *VALUES, "--set", change)
    assert installation.revision() == before
