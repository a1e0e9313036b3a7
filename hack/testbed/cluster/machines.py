"""A cluster of several machines, in zones of their own, any of which may be lost."""

from testbed.cluster.api import Object

ZONES = ("a", "b", "c")
KEPT = "kept"
"""The storage class of volumes on the machine of the control plane, which no test loses: no volume of this cluster can
move to another machine."""

_KEEPS = {"gamelake/storage": KEPT}
_TAINTS = """\
kind: InitConfiguration
nodeRegistration:
  taints: [{key: node-role.kubernetes.io/control-plane, effect: PreferNoSchedule}]
"""


def configuration(machines: int) -> Object:
    """Return kind's configuration of a cluster with so many machines; a single one is that of the control plane."""
    control_plane: Object = {"role": "control-plane"}
    workers: list[Object] = []
    if machines > 1:
        # Pods whose volumes are kept run on it, and others where no worker has room.
        control_plane |= {"labels": _KEEPS, "kubeadmConfigPatches": [_TAINTS]}
        zones = [{"topology.kubernetes.io/zone": zone} for zone in ZONES[:machines]]
        workers = [{"role": "worker", "labels": labels} for labels in zones]
    return {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": [control_plane, *workers]}


def kept_storage() -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": KEPT},
        "provisioner": "rancher.io/local-path",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowedTopologies": [
            {"matchLabelExpressions": [{"key": key, "values": [value]} for key, value in _KEEPS.items()]}
        ],
    }
