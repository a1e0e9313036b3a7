"""Installs the operators: the real Strimzi and Spark operator, or their stand-ins."""

import subprocess
import textwrap

from testbed.cluster import images
from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError, show
from testbed.cluster.progress import Progress
from testbed.settings import ROOT

NAMESPACE = "operators"
_LABEL = "gamelake-operators"
"""The label of the operators' namespace that says which ones are installed, set when they are."""
_WATCHED = "gamelake-watched"
"""The label of the operators' namespace that says which namespace they watch."""
_DEFINITIONS = ("kafkas.kafka.strimzi.io", "sparkapplications.sparkoperator.k8s.io")
_SCRIPTS = {"real": "install-real", "standin": "install-standins"}


def ensure(cluster: Cluster, progress: Progress) -> None:
    """Install the chosen operators if the cluster lacks them; print which ones it has, and why."""
    wanted, labels = cluster.settings.operators, _labels(cluster)
    installed, watched = labels.get(_LABEL), labels.get(_WATCHED)
    if wanted == "installed":
        if missing := [name for name in _DEFINITIONS if not _is_defined(cluster, name)]:
            raise KindError(f"OPERATORS: expected operators in the cluster, got no definition of {', '.join(missing)}")
        progress.say("operators: the cluster's own (OPERATORS=installed)")
    elif watched and watched != cluster.namespace:
        raise KindError(f"NAMESPACE: the cluster's operators watch {watched} only: make kind-down first")
    elif installed and not wanted:
        if _have_rights(cluster):
            progress.say(f"operators: {installed}, already installed")
        else:
            _install(cluster, progress, installed, f"their rights in namespace {cluster.namespace} are gone")
    elif installed and wanted != installed:
        raise KindError(f"OPERATORS: the cluster has {installed}, not {wanted}: make kind-down first")
    elif not watched and any(_is_defined(cluster, name) for name in _DEFINITIONS):
        raise KindError("the cluster has operators that make kind did not install: OPERATORS=installed uses them")
    else:
        _install(cluster, progress, *((wanted, f"OPERATORS={wanted}") if wanted else _choice()))


def _install(cluster: Cluster, progress: Progress, which: str, why: str) -> None:
    progress.say(f"operators: {which} ({why}) …")
    _label(cluster, {_WATCHED: cluster.namespace})
    environment = images.with_default_names(cluster.environment)
    show(ROOT / "hack/testbed/cluster/operators" / _SCRIPTS[which], cluster.namespace, environment=environment)
    _label(cluster, {_WATCHED: cluster.namespace, _LABEL: which})
    progress.say("operators ready")


def _labels(cluster: Cluster) -> dict[str, str]:
    namespace = cluster.api.get("Namespace", NAMESPACE) or {"metadata": {}}
    return dict(namespace["metadata"].get("labels", {}))


def _label(cluster: Cluster, labels: dict[str, str]) -> None:
    """Create the namespace if it does not exist, and set our labels; those of others stay."""
    cluster.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})


def _have_rights(cluster: Cluster) -> bool:
    """Whether the operators may use the namespace that they watch: their roles in it are deleted with it."""
    bindings = cluster.api.find("RoleBinding")
    return any(one.get("namespace") == NAMESPACE for binding in bindings for one in binding.get("subjects") or ())


def _is_defined(cluster: Cluster, resource: str) -> bool:
    return cluster.api.get("CustomResourceDefinition", resource) is not None


def _choice() -> tuple[str, str]:
    probe = [str(ROOT / "hack/testbed/cluster/operators/install-real"), "--probe"]
    probed = subprocess.run(probe, capture_output=True, text=True, check=False)
    if probed.returncode == 0:
        return "real", "their charts are available"
    errors = probed.stderr.strip().splitlines() or ["no answer in time"]
    return "standin", f"the operators' charts are not available: {textwrap.shorten(errors[-1], 120)}"
