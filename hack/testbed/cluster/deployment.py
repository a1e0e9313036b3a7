"""Deploys all of gamelake, from the node's images to the stream."""

from collections.abc import Collection
from functools import partial

from testbed.cluster import images, jobs
from testbed.cluster.api import Object
from testbed.cluster.cluster import RELEASE, Cluster
from testbed.cluster.machines import kept_storage
from testbed.cluster.operators import install
from testbed.cluster.progress import Progress
from testbed.cluster.readiness import POOL, all_current, all_ready, all_rolled_out
from testbed.cluster.waiting import await_all
from testbed.settings import ROOT

CHART = ROOT / "charts/gamelake"
VALUES = ("--values", str(CHART / "values-kind.yaml"))
"""Of one machine."""

_PATIENCE = 900
"""Seconds for a server to be ready."""


def values(machines: int) -> tuple[str, ...]:
    """Return Helm's options with the values for so many machines."""
    if machines == 1:
        return VALUES
    files = ("values-ha.yaml", "values-kind.yaml", "values-kind-ha.yaml")
    return tuple(part for file in files for part in ("--values", str(CHART / file)))


def deploy(cluster: Cluster, progress: Progress, *options: str) -> None:
    """Bring the cluster up to date, and leave alone what already is. `options` are Helm's."""
    changed = images.missing(cluster)
    if changed:
        images.load(cluster, changed)
    progress.say(f"images loaded: {', '.join(changed)}" if changed else "images: the node has them")
    # Before any pod: every pod must meet the strictest profile.
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {"name": cluster.namespace, "labels": labels}
    cluster.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": namespace})
    if cluster.settings.machines > 1:
        cluster.api.apply(kept_storage())
    install.ensure(cluster, progress)
    _restart(cluster, changed)
    if changed:
        images.note(cluster)
    cluster.helm("dependency", "build", CHART)
    cluster.helm("upgrade", "--install", RELEASE, CHART, *values(cluster.settings.machines), *options)
    progress.say("charts installed")
    await_ready(cluster, progress)
    start_jobs(cluster, progress)


def await_ready(cluster: Cluster, progress: Progress) -> None:
    """Wait until every server is ready."""
    waits = {
        what: partial(cluster.api.wait, kind, all_ready, _PATIENCE)
        for what, kind in (("kafka", "Kafka"), ("topic", "KafkaTopic"), ("users of kafka", "KafkaUser"))
    }

    def are_current(pods: list[Object]) -> bool:
        return all_current(cluster.api.find("KafkaNodePool", "app.kubernetes.io/part-of=gamelake"), pods)

    waits["nodes of kafka"] = partial(cluster.api.wait, "Pod", are_current, _PATIENCE, selector=POOL)
    waits |= {
        name: partial(cluster.api.wait, kind, all_rolled_out, _PATIENCE, name=name)
        for kind, name in ((one["kind"], one["metadata"]["name"]) for one in _workloads(cluster))
    }
    await_all(cluster, waits, progress)


def start_jobs(cluster: Cluster, progress: Progress) -> None:
    """Create the tables, and start the stream and its maintenance."""
    jobs.apply(cluster, "tables")
    jobs.await_state(cluster, "tables", "COMPLETED", progress)
    jobs.apply(cluster, "stream")
    jobs.apply(cluster, "maintain")
    jobs.await_state(cluster, "stream", "RUNNING", progress)


def _restart(cluster: Cluster, changed: Collection[str]) -> None:
    """Restart whatever runs an image that has changed: the image's name has not."""
    for workload in _workloads(cluster):
        containers = workload["spec"]["template"]["spec"]["containers"]
        if any(container["image"] in changed for container in containers):
            cluster.kubectl("rollout", "restart", f"{workload['kind']}/{workload['metadata']['name']}")
    if images.tag("spark") in changed:
        for job in ("tables", "stream"):
            jobs.delete(cluster, job)


def _workloads(cluster: Cluster) -> list[Object]:
    """Return the Deployments and StatefulSets that Helm has installed."""
    selector = f"app.kubernetes.io/instance={RELEASE}"
    return [one for kind in ("Deployment", "StatefulSet") for one in cluster.api.find(kind, selector)]
