"""The operators: Strimzi and the Spark operator themselves, or what stands in for them."""

import subprocess

from local.settings import ROOT

from kind.cluster import Cluster
from kind.command import KindError, show
from kind.progress import Progress

NAMESPACE = "operators"
_LABEL = "gamelake-operators"
"""Of their namespace: which ones they are."""
_RESOURCES = ("crd/kafkas.kafka.strimzi.io", "crd/sparkapplications.sparkoperator.k8s.io")
_SCRIPTS = {"real": "install-real", "standin": "install-standins"}


def ensure(cluster: Cluster, progress: Progress) -> None:
    """See that the cluster has those that were asked for; one line says which they are, and why."""
    wanted, there = cluster.settings.operators, _there(cluster)
    if wanted == "installed":
        cluster.kubectl("get", *_RESOURCES)
        progress.say("operators: those that the cluster has (OPERATORS=installed)")
    elif there and not wanted:
        progress.say(f"operators: {there}, as they were installed")
    elif there and wanted != there:
        raise KindError(f"OPERATORS: the cluster has {there}, not {wanted}: make kind-down first")
    else:
        _install(cluster, progress, *((wanted, f"OPERATORS={wanted}") if wanted else _choice()))


def _install(cluster: Cluster, progress: Progress, which: str, why: str) -> None:
    progress.say(f"operators: {which} ({why}) …")
    show(ROOT / "hack/operators" / _SCRIPTS[which], cluster.namespace, environment=cluster.environment)
    cluster.kubectl("label", "namespace", NAMESPACE, f"{_LABEL}={which}", "--overwrite")
    progress.say("operators ready")


def _there(cluster: Cluster) -> str:
    path = f"jsonpath={{.metadata.labels.{_LABEL}}}"
    return cluster.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "--output", path)


def _choice() -> tuple[str, str]:
    asked = subprocess.run([ROOT / "hack/operators/install-real", "--probe"], capture_output=True, check=False)
    return ("standin", "the operators' charts do not answer") if asked.returncode else ("real", "their charts answer")
