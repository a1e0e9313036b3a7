"""Whether objects of the cluster are ready, by the rules of `kubectl wait` and `kubectl rollout status`."""

from collections.abc import Sequence

from testbed.cluster.api import Object
from testbed.cluster.command import KindError

POOL = "strimzi.io/pool-name"
"""The label with the node pool of one of Kafka's pods."""
_GENERATION = "gamelake/generation"


def all_ready(objects: Sequence[Object]) -> bool:
    """Whether there are any, and each has the condition Ready for its current generation."""
    return bool(objects) and all(map(is_ready, objects))


def is_ready(one: Object) -> bool:
    status = one.get("status", {})
    current = status.get("observedGeneration", 0) >= one["metadata"].get("generation", 0)
    return (current or "observedGeneration" not in status) and has_ready_condition(status)


def has_ready_condition(status: Object) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", []))


def all_current(pools: Sequence[Object], pods: Sequence[Object]) -> bool:
    """Whether each node pool of Kafka has all of its pods, of the pool's generation and ready.

    Strimzi reports a cluster as ready all through a roll, and does not change its generation when a pool is changed. So
    the chart numbers generations itself, in an annotation that a pool's pods have from the pool.
    """
    return bool(pools) and all(_is_current(pool, pods) for pool in pools)


def _is_current(pool: Object, pods: Sequence[Object]) -> bool:
    own = [pod for pod in pods if pod["metadata"]["labels"].get(POOL) == pool["metadata"]["name"]]
    wanted = pool["spec"]["template"]["pod"]["metadata"]["annotations"][_GENERATION]
    found = [pod["metadata"].get("annotations", {}).get(_GENERATION) for pod in own]
    return found == [wanted] * pool["spec"]["replicas"] and all_ready(own)


def all_rolled_out(workloads: Sequence[Object]) -> bool:
    """Whether there are any, and all pods of each run its current template; KindError if a rollout has failed."""
    return bool(workloads) and all(map(is_rolled_out, workloads))


def is_rolled_out(workload: Object) -> bool:
    """Whether all pods of a Deployment or StatefulSet run its current template."""
    status, replicas = workload.get("status", {}), workload["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < workload["metadata"]["generation"]:
        return False
    if workload["kind"] == "StatefulSet":
        current = status.get("currentRevision") == status.get("updateRevision")
        return bool(current and status.get("readyReplicas", 0) >= replicas)
    if any(one.get("reason") == "ProgressDeadlineExceeded" for one in status.get("conditions", [])):
        raise KindError("its rollout exceeded the progress deadline")
    updated = status.get("updatedReplicas", 0)
    return bool(replicas <= updated == status.get("replicas", 0) and status.get("availableReplicas", 0) >= updated)
