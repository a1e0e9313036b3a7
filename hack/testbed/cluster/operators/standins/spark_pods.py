"""The state of an application, derived from its pods."""

from testbed.cluster.operators.standins.cluster import Object

_EXECUTORS = {"Pending": "PENDING", "Running": "RUNNING", "Succeeded": "COMPLETED", "Failed": "FAILED"}


def driver_state(pod: Object) -> str:
    """Return the application's state by its driver's pod. Its container's end counts, which comes before the pod's."""
    phase, ended = pod.get("status", {}).get("phase"), _ended(pod)
    if phase == "Pending":
        return "SUBMITTED"
    if phase == "Succeeded" or (ended and ended["exitCode"] == 0):
        return "SUCCEEDING"
    if phase == "Failed" or ended:
        return "FAILING"
    return "RUNNING" if phase == "Running" else "UNKNOWN"


def failure(pod: Object) -> str:
    """Return why the driver failed; empty if it did not."""
    if driver_state(pod) != "FAILING":
        return ""
    ended = _ended(pod)
    if ended is None:
        return "driver container status missing"
    return f"driver container failed with ExitCode: {ended['exitCode']}, Reason: {ended.get('reason', '')}"


def executor_states(pods: list[Object], known: dict[str, str], application: str) -> dict[str, str]:
    """Return the state of every known executor: one whose pod is gone has ended with its application, or failed."""
    states = {pod["metadata"]["name"]: _EXECUTORS.get(pod["status"]["phase"], "UNKNOWN") for pod in pods}
    for name, state in known.items():
        if name in states:
            continue
        if state in ("COMPLETED", "FAILED"):
            states[name] = state
        elif application == "RUNNING":
            states[name] = "UNKNOWN"
        else:
            states[name] = "COMPLETED" if application == "COMPLETED" else "FAILED"
    return states


def _ended(pod: Object) -> Object | None:
    for container in pod.get("status", {}).get("containerStatuses", []):
        if container["name"] == "spark-kubernetes-driver":
            ended: Object | None = container.get("state", {}).get("terminated")
            return ended
    return None
