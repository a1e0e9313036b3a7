"""The Kubernetes API, as a pod uses it to create Secrets."""

import json
import ssl
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_CONFLICT = 409
_GOING = "object is being deleted"
"""How the API's message begins then: its reason is the same."""
_TIMEOUT = 30
"""Seconds for an answer."""


@dataclass(frozen=True)
class KubernetesApi:
    """The API at this address, for the account whose `token`, `ca.crt` and `namespace` are in a folder."""

    address: str
    account: Path

    def create(self, name: str, kind: str, content: Mapping[str, str]) -> bool:
        """Create a Secret and return True, or False if there is one of this name, which stays as it is.

        Raises OSError when the API cannot be reached or refuses, also while the one of this name is being deleted.
        """
        # Creates only: the account may neither read nor change a Secret.
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "gamelake"}},
            "type": kind,
            "data": {key: b64encode(text.encode()).decode() for key, text in content.items()},
        }
        namespace, token = ((self.account / file).read_text().strip() for file in ("namespace", "token"))
        request = urllib.request.Request(  # noqa: S310 the Kubernetes API
            f"{self.address}/api/v1/namespaces/{namespace}/secrets",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        trusted = ssl.create_default_context(cafile=str(self.account / "ca.crt"))
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT, context=trusted):  # noqa: S310
                return True
        except urllib.error.HTTPError as error:
            answer = error.read().decode()
            # A quota that somebody else changes meanwhile is a conflict, too.
            status = json.loads(answer) if error.code == _CONFLICT else {}
            if status.get("reason") == "AlreadyExists" and not status["message"].startswith(_GOING):
                return False
            # The answer says why: a right that is missing, a quota, a policy.
            raise OSError(f"{error}: {answer}") from error
