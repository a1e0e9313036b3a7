"""Everything that is in the cluster, from its node's images to the stream."""

import json
from collections.abc import Collection

from testbed.cluster import images, jobs
from testbed.cluster.cluster import RELEASE, Cluster
from testbed.cluster.operators import install
from testbed.cluster.progress import Progress
from testbed.cluster.waiting import await_all
from testbed.settings import ROOT

CHART = ROOT / "charts/gamelake"
VALUES = ("--values", str(CHART / "values-kind.yaml"))


def deploy(cluster: Cluster, progress: Progress, *options: str) -> None:
    """See that all of it is there and runs; what is as it should be is left as it is. `options` are Helm's."""
    changed = images.missing(cluster)
    if changed:
        images.load(cluster, changed)
    progress.say(f"images loaded: {', '.join(changed)}" if changed else "images: the node has them")
    # Before any pod: each must pass the strictest profile.
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster.namespace, "labels": labels}})
    install.ensure(cluster, progress)
    _restart(cluster, changed)
    if changed:
        images.note(cluster)
    cluster.helm("dependency", "build", CHART)
    cluster.helm("upgrade", "--install", RELEASE, CHART, *VALUES, *options)
    progress.say("charts installed")
    await_ready(cluster, progress)
    start_jobs(cluster, progress)


def await_ready(cluster: Cluster, progress: Progress) -> None:
    """Wait until every server is ready."""
    waits = {
        what: ("wait", resource, "--all", "--for=condition=Ready")
        for what, resource in (("kafka", "kafkas"), ("topic", "kafkatopics"), ("users of kafka", "kafkausers"))
    }
    await_all(
        cluster,
        waits | {one.partition("/")[2]: ("rollout", "status", one) for one in _workloads(cluster)},
        progress,
    )


def start_jobs(cluster: Cluster, progress: Progress) -> None:
    """Make the tables, and start the stream and its maintenance."""
    jobs.apply(cluster, "tables")
    jobs.await_state(cluster, "tables", "COMPLETED", progress)
    jobs.apply(cluster, "stream")
    jobs.apply(cluster, "maintain")
    jobs.await_state(cluster, "stream", "RUNNING", progress)


def _restart(cluster: Cluster, changed: Collection[str]) -> None:
    """Have what runs already take an image that has changed: its name is the same."""
    for workload in _workloads(cluster):
        pod = json.loads(cluster.kubectl("get", workload, "--output", "json"))["spec"]["template"]["spec"]
        if any(container["image"] in changed for container in pod["containers"]):
            cluster.kubectl("rollout", "restart", workload)
    if f"gamelake/spark:{images.version()}" in changed:
        for job in ("tables", "stream"):
            jobs.delete(cluster, job)


def _workloads(cluster: Cluster) -> list[str]:
    """What Helm has installed that makes pods."""
    selector = f"app.kubernetes.io/instance={RELEASE}"
    return cluster.kubectl("get", "deployments,statefulsets", "--selector", selector, "--output", "name").split()
