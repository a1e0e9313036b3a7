"""The operators: Strimzi and the Spark operator themselves, or what stands in for them."""

import subprocess
import textwrap

from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError, show
from testbed.cluster.progress import Progress
from testbed.settings import ROOT

NAMESPACE = "operators"
_LABEL = "gamelake-operators"
"""Of their namespace: which ones they are, once they are there."""
_WATCHED = "gamelake-watched"
"""Of their namespace: the one in which they look after Kafka and Spark applications."""
_RESOURCES = ("crd/kafkas.kafka.strimzi.io", "crd/sparkapplications.sparkoperator.k8s.io")
_SCRIPTS = {"real": "install-real", "standin": "install-standins"}


def ensure(cluster: Cluster, progress: Progress) -> None:
    """See that the cluster has those that were asked for; one line says which they are, and why."""
    wanted, there, watched = cluster.settings.operators, _label(cluster, _LABEL), _label(cluster, _WATCHED)
    if wanted == "installed":
        cluster.kubectl("get", *_RESOURCES)
        progress.say("operators: those that the cluster has (OPERATORS=installed)")
    elif watched and watched != cluster.namespace:
        raise KindError(f"NAMESPACE: the cluster's operators look after {watched} alone: make kind-down first")
    elif there and not wanted:
        progress.say(f"operators: {there}, as they were installed")
    elif there and wanted != there:
        raise KindError(f"OPERATORS: the cluster has {there}, not {wanted}: make kind-down first")
    elif not watched and cluster.kubectl("get", "--ignore-not-found", *_RESOURCES):
        raise KindError("the cluster has operators that make kind did not install: OPERATORS=installed takes them")
    else:
        _install(cluster, progress, *((wanted, f"OPERATORS={wanted}") if wanted else _choice()))


def _install(cluster: Cluster, progress: Progress, which: str, why: str) -> None:
    progress.say(f"operators: {which} ({why}) …")
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    cluster.kubectl("label", "namespace", NAMESPACE, f"{_WATCHED}={cluster.namespace}", "--overwrite")
    show(ROOT / "hack/testbed/cluster/operators" / _SCRIPTS[which], cluster.namespace, environment=cluster.environment)
    cluster.kubectl("label", "namespace", NAMESPACE, f"{_LABEL}={which}", "--overwrite")
    progress.say("operators ready")


def _label(cluster: Cluster, name: str) -> str:
    path = f"jsonpath={{.metadata.labels.{name}}}"
    return cluster.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "--output", path)


def _choice() -> tuple[str, str]:
    probe = [str(ROOT / "hack/testbed/cluster/operators/install-real"), "--probe"]
    asked = subprocess.run(probe, capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        return "real", "their charts answer"
    said = asked.stderr.strip().splitlines() or ["no answer in time"]
    return "standin", f"the operators' charts cannot be had: {textwrap.shorten(said[-1], 120)}"
