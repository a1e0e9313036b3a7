"""An identity provider inside the cluster: it serves its public keys, and tests sign tokens with the private one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from testbed.cluster.api import Object
from testbed.cluster.cluster import Cluster
from testbed.cluster.readiness import all_ready

from tests.e2e.pods import python_pod
from tests.unit.game_api.identity.provider import AUDIENCE, ISSUER, Key, key_set

_NAME = "identity-provider"
_LABELS = {"app.kubernetes.io/name": _NAME}
_PORT = 8000
_PATIENCE = 420
_HOUR = 3600

VALUES: dict[str, Any] = {
    "api": {
        "players": {
            "mode": "token",
            "jwksUrl": f"http://{_NAME}:{_PORT}/keys.json",
            "issuer": ISSUER,
            "audience": AUDIENCE,
        },
        "networkPolicy": {
            "extraEgress": [{"to": [{"podSelector": {"matchLabels": _LABELS}}], "ports": [{"port": _PORT}]}]
        },
    }
}
"""Values of the umbrella chart with which the API accepts the provider's tokens, and may read its keys."""


class IdentityProvider:
    """The holder of an EdDSA key."""

    def __init__(self) -> None:
        self._key = Key("e2e")
        self.token = cache(self._token)

    def _token(self, player: str) -> str:
        """Return a token for this player, which is valid for an hour."""
        return self._key.token(sub=player, exp=int(time.time()) + _HOUR)

    def objects(self) -> list[Object]:
        """Return what serves the public key."""
        return [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": _NAME},
                "data": {"keys.json": key_set(self._key)},
            },
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": _NAME},
                "spec": {"selector": _LABELS, "ports": [{"port": _PORT}]},
            },
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": _NAME},
                "spec": {
                    "podSelector": {"matchLabels": _LABELS},
                    "policyTypes": ["Ingress", "Egress"],
                    "ingress": [
                        {
                            "from": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "api"}}}],
                            "ports": [{"port": _PORT}],
                        }
                    ],
                },
            },
            python_pod(
                _NAME,
                _LABELS,
                ["python3", "-m", "http.server", str(_PORT)],
                volumes=[{"name": "keys", "configMap": {"name": _NAME}}],
                workingDir="/keys",
                ports=[{"containerPort": _PORT}],
                readinessProbe={"httpGet": {"path": "/keys.json", "port": _PORT}},
                volumeMounts=[{"name": "keys", "mountPath": "/keys", "readOnly": True}],
            ),
        ]


@contextmanager
def identity_provider(cluster: Cluster) -> Iterator[IdentityProvider]:
    """Run a provider in the cluster while the block lasts."""
    provider = IdentityProvider()
    try:
        for thing in provider.objects():
            cluster.api.apply(thing)
        cluster.api.wait("Pod", all_ready, _PATIENCE, name=_NAME)
        yield provider
    finally:
        for kind in ("pod", "service", "networkpolicy", "configmap"):
            cluster.kubectl("delete", kind, _NAME, "--ignore-not-found")
