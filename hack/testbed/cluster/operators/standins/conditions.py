"""The status of resources, in the form that Strimzi writes."""

from datetime import UTC, datetime
from typing import Any

from testbed.cluster.operators.standins.cluster import Object

READY = {"type": "Ready", "status": "True"}


def not_ready(reason: str, message: str) -> dict[str, str]:
    return {"type": "NotReady", "status": "True", "reason": reason, "message": message}


def is_ready(body: Object) -> bool:
    """Whether the resource was last reported as ready, for whichever generation."""
    return any(one | READY == one for one in body.get("status", {}).get("conditions", []))


def status(body: Object, condition: dict[str, str], **fields: Any) -> Object:  # noqa: ANN401 any JSON
    """Return the resource's new status; an unchanged condition keeps the time of its last transition."""
    old = body.get("status", {})
    same = [one for one in old.get("conditions", []) if one | condition == one]
    condition = same[0] if same else {**condition, "lastTransitionTime": now()}
    return {**old, **fields, "conditions": [condition], "observedGeneration": body["metadata"]["generation"]}


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
