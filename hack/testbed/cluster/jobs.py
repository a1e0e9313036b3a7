"""The Spark jobs, by the names of their manifests in `spark-apps`."""

import time

from testbed.cluster.api import Object
from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError
from testbed.cluster.conditions import Conditions
from testbed.cluster.progress import Progress
from testbed.settings import ROOT

_KIND = "SparkApplication"
_PATIENCE = 900
"""Seconds for a job to get to a state, failed attempts included."""
_DRIVER_PATIENCE = 420
_PAUSE = 5
"""Seconds from one report of conditions to the next."""


def apply(cluster: Cluster, job: str) -> None:
    """Apply the manifest as users do."""
    cluster.kubectl("apply", "--filename", _manifest(job))


def delete(cluster: Cluster, job: str) -> None:
    """Delete the job if it exists, and wait until its driver has ended."""
    cluster.kubectl("delete", "--ignore-not-found", "--filename", _manifest(job))
    try:
        cluster.api.wait("Pod", lambda drivers: not drivers, _DRIVER_PATIENCE, name=f"{job}-driver")
    except TimeoutError as error:
        raise KindError(f"the driver of job {job} has not ended: {error}") from error


def state(cluster: Cluster, job: str) -> str:
    """Return the state that the operator reports; empty before it has."""
    application = cluster.api.get(_KIND, job)
    return _state(job, application).get("state", "")


def await_state(cluster: Cluster, job: str, wanted: str, progress: Progress) -> None:
    """Wait for a state, and print the states before it."""
    seen = ""
    conditions = Conditions(cluster, progress)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        for applications in cluster.api.watch(_KIND, _PAUSE, name=job):
            reported = _state(job, *applications)
            now = reported.get("state", "")
            if now and now != seen:
                progress.say(f"{job} {now.lower().replace('_', ' ')}")
                seen = now
            if now == wanted:
                return
            if now == "FAILED":
                raise KindError(f"job {job} failed: {reported.get('errorMessage', '')}")
        conditions.report()
    raise KindError(conditions.explain(f"job {job} is {seen or 'untouched'} after {_PATIENCE} s, not {wanted}"))


def _state(job: str, application: Object | None = None) -> dict[str, str]:
    if application is None:
        raise KindError(f"{_KIND} {job} does not exist")
    return application.get("status", {}).get("applicationState") or {}


def _manifest(job: str) -> str:
    return str(ROOT / f"spark-apps/{job}.yaml")
