"""Ends the stream of another image (`stop-stream`), or frees the jobs from machines that are lost (`reap`)."""

import json
import os
import ssl
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

CREDENTIALS = Path(os.environ.get("CREDENTIALS", "/var/run/secrets/kubernetes.io/serviceaccount"))
PATIENCE = 180
"""Seconds that a driver has to commit its batch."""
PAUSE = 5
"""Seconds from one look at the pods to the next."""
LATE = timedelta(minutes=1)
"""What a busy machine may need to end a pod, beyond the time that the pod has for it."""

namespace = (CREDENTIALS / "namespace").read_text()
trusted = ssl.create_default_context(cafile=str(CREDENTIALS / "ca.crt"))
pods = f"/api/v1/namespaces/{namespace}/pods"


class Refused(Exception):  # noqa: N818 the name says what happened
    """The answer of the Kubernetes API, which is an error."""


def call(method: str, path: str, body: dict | None = None) -> dict | None:
    """Return the object at a path of the Kubernetes API, or None if there is none, or another one by now."""
    place = os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
    server = HTTPSConnection(*place, timeout=30, context=trusted)
    try:
        headers = {"Authorization": f"Bearer {(CREDENTIALS / 'token').read_text()}", "Content-Type": "application/json"}
        server.request(method, path, body=json.dumps(body) if body else None, headers=headers)
        answer = server.getresponse()
        content = answer.read()
    finally:
        server.close()
    if answer.status in (404, 409):
        return None
    if answer.status != 200:
        raise Refused(f"{method} {path}: {answer.status} {content.decode()}")
    return json.loads(content)


def stop_stream() -> None:
    """Delete a stream that has another image than this pod, so that no event of a new contract is read by it."""
    stream = f"/apis/sparkoperator.k8s.io/v1beta2/namespaces/{namespace}/sparkapplications/stream"
    running = call("GET", stream)
    if running is None or running["spec"]["image"] == os.environ["IMAGE"]:
        return
    old, new = running["spec"]["image"], os.environ["IMAGE"]
    print(f"deleting the stream of {old}; the release creates one of {new}", flush=True)
    call("DELETE", stream)
    deadline = time.monotonic() + PATIENCE
    while call("GET", f"{pods}/stream-driver") is not None:
        if time.monotonic() > deadline:
            sys.exit(f"error: the stream's driver has not ended after {PATIENCE} s")
        time.sleep(1)


def reap() -> None:
    """Delete, again and again, the drivers and executors whose end nobody can confirm.

    Kubernetes keeps such a pod until its machine is back, and until then it is a running one for the Spark operator, or
    for its driver. A driver that is cut off and goes on does no harm: it cannot commit what another one has committed.
    """
    while True:
        # For the probes.
        Path(tempfile.gettempdir(), "looked").touch()
        try:
            for pod in (call("GET", f"{pods}?labelSelector=spark-role") or {})["items"]:
                if "deletionTimestamp" in pod["metadata"] and is_lost(pod):
                    delete(pod["metadata"], pod["spec"].get("nodeName", ""))
        except (OSError, HTTPException, Refused) as error:
            print(f"trying again: {error}", flush=True)
        time.sleep(PAUSE)


def is_lost(pod: dict) -> bool:
    """Whether the machine of a pod that is being deleted does not answer.

    The node controller then sets Ready alone; a kubelet that answers sets both conditions. A pod that was still
    starting was never ready: it is known by ending late.
    """
    conditions = {one["type"]: one["status"] for one in pod["status"].get("conditions", ())}
    silent = (conditions.get("Ready"), conditions.get("ContainersReady")) == ("False", "True")
    return silent or datetime.fromisoformat(pod["metadata"]["deletionTimestamp"]) + LATE < datetime.now(UTC)


def delete(metadata: dict, machine: str) -> None:
    print(f"deleting {metadata['name']}: its machine {machine} does not answer", flush=True)
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
    call("DELETE", f"{pods}/{metadata['name']}", {**options, "preconditions": {"uid": metadata["uid"]}})


{"stop-stream": stop_stream, "reap": reap}[sys.argv[1]]()
