"""Ends the stream of another image, so that no event of a new contract is read by a job that does not know it."""

import json
import os
import ssl
import sys
import time
from http.client import HTTPSConnection
from pathlib import Path

CREDENTIALS = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PATIENCE = 180
"""Seconds that a driver has to commit its batch."""

namespace = (CREDENTIALS / "namespace").read_text()
trusted = ssl.create_default_context(cafile=str(CREDENTIALS / "ca.crt"))


def call(method: str, path: str) -> dict | None:
    """Return the object at a path of the Kubernetes API, or None if there is none."""
    place = os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
    server = HTTPSConnection(*place, timeout=30, context=trusted)
    server.request(method, path, headers={"Authorization": f"Bearer {(CREDENTIALS / 'token').read_text()}"})
    answer = server.getresponse()
    content = answer.read()
    if answer.status == 404:
        return None
    if answer.status != 200:
        sys.exit(f"error: {method} {path}: {answer.status} {content.decode()}")
    return json.loads(content)


stream = f"/apis/sparkoperator.k8s.io/v1beta2/namespaces/{namespace}/sparkapplications/stream"
driver = f"/api/v1/namespaces/{namespace}/pods/stream-driver"
running = call("GET", stream)
if running is None or running["spec"]["image"] == os.environ["IMAGE"]:
    sys.exit()
print(
    f"deleting the stream of {running['spec']['image']}; the release creates one of {os.environ['IMAGE']}", flush=True
)
call("DELETE", stream)
deadline = time.monotonic() + PATIENCE
while call("GET", driver) is not None:
    if time.monotonic() > deadline:
        sys.exit(f"error: the stream's driver has not ended after {PATIENCE} s")
    time.sleep(1)
