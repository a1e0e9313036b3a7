"""The Spark jobs, by the names of their manifests in `spark-apps`."""

import time

from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError
from testbed.cluster.conditions import Conditions
from testbed.cluster.progress import Progress
from testbed.settings import ROOT

_PATIENCE = 900
"""Seconds for a job to get anywhere, failed attempts included."""
_PAUSE = 2


def apply(cluster: Cluster, job: str) -> None:
    cluster.kubectl("apply", "--filename", _manifest(job))


def delete(cluster: Cluster, job: str) -> None:
    """Delete it, if it is there, and wait until its driver has ended."""
    cluster.kubectl("delete", "--ignore-not-found", "--filename", _manifest(job))
    # Asked for by a selector, one that is gone already is no error.
    driver = f"metadata.name={job}-driver"
    cluster.kubectl("wait", "--for=delete", "pod", "--field-selector", driver, "--timeout=3m")


def state(cluster: Cluster, job: str) -> str:
    """What its operator says of it; empty before it has."""
    path = "jsonpath={.status.applicationState.state}"
    return cluster.kubectl("get", "sparkapplication", job, "--output", path)


def await_state(cluster: Cluster, job: str, wanted: str, progress: Progress) -> None:
    """Wait until it is as `wanted`, and say what it is meanwhile."""
    seen = ""
    keeps = Conditions(cluster, progress)
    deadline = time.monotonic() + _PATIENCE
    while True:
        now = state(cluster, job)
        if now and now != seen:
            progress.say(f"{job} {now.lower().replace('_', ' ')}")
            seen = now
        if now == wanted:
            return
        if now == "FAILED":
            raise KindError(f"job {job} failed: {_error(cluster, job)}")
        if time.monotonic() > deadline:
            raise KindError(keeps.explain(f"job {job} is {now or 'untouched'} after {_PATIENCE} s, not {wanted}"))
        keeps.look()
        time.sleep(_PAUSE)


def _error(cluster: Cluster, job: str) -> str:
    path = "jsonpath={.status.applicationState.errorMessage}"
    return cluster.kubectl("get", "sparkapplication", job, "--output", path)


def _manifest(job: str) -> str:
    return str(ROOT / f"spark-apps/{job}.yaml")
