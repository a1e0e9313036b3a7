"""Pods of tests, of the API's image, which has bash and Python. They meet the profile `restricted`."""

from collections.abc import Sequence
from typing import Any

from testbed.cluster import images
from testbed.cluster.api import Object


def python_pod(
    name: str,
    labels: dict[str, str],
    command: list[str],
    volumes: Sequence[Object] = (),
    **container: Any,  # noqa: ANN401 any JSON
) -> Object:
    """Return a pod that runs a command; `container` has more fields of its one container."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "runAsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "python",
                    "image": images.tag("api"),
                    "imagePullPolicy": "IfNotPresent",
                    "command": command,
                    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "96Mi"}},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    **container,
                }
            ],
            "volumes": list(volumes),
        },
    }
