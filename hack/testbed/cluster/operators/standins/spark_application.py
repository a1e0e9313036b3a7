"""Spark applications, as the Spark operator runs them: a state machine whose state is kept in the status."""

import copy
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from testbed.cluster.operators.standins import cluster
from testbed.cluster.operators.standins.cluster import APPLICATIONS, PODS, Object
from testbed.cluster.operators.standins.conditions import now
from testbed.cluster.operators.standins.fields import Refused
from testbed.cluster.operators.standins.spark_pods import driver_state, executor_states, failure
from testbed.cluster.operators.standins.spark_submission import APP_NAME, SUBMISSION_ID, check, driver_pod, submit

_PAUSE = 2.0
_ENDED_PAUSE = 15.0
_DRIVER_GRACE = 10.0
_DEFAULT_INTERVAL = 5

_specs: dict[str, Object] = {}
"""The last known spec of each application, by uid. A change while the stand-in is not running is missed."""


def reconcile(application: Object) -> float:
    if "deletionTimestamp" in application["metadata"]:
        return _ENDED_PAUSE
    status = copy.deepcopy(application.get("status", {}))
    status.setdefault("applicationState", {"state": ""})
    status.setdefault("driverInfo", {})
    if _has_changed(application):
        status["applicationState"] = {"state": "INVALIDATING"}
    try:
        check(application)
        _STEPS[status["applicationState"]["state"]](application, status)
    except Refused as problem:
        _is_driver_gone(application)
        status["applicationState"] = {"state": "FAILED", "errorMessage": str(problem)}
        status.setdefault("terminationTime", now())
    cluster.set_status(APPLICATIONS, application, status)
    return _ENDED_PAUSE if status["applicationState"]["state"] in ("COMPLETED", "FAILED") else _PAUSE


def forget(application: Object) -> None:
    """Delete a driver that was created while its application was deleted; others go with their owner."""
    _specs.pop(application["metadata"]["uid"], None)
    pod = cluster.get(PODS, application["metadata"]["namespace"], driver_pod(application))
    owners = (pod or {}).get("metadata", {}).get("ownerReferences", [])
    if application["metadata"]["uid"] in [one["uid"] for one in owners]:
        cluster.delete(PODS, application["metadata"]["namespace"], driver_pod(application))


def _has_changed(application: Object) -> bool:
    uid, spec = application["metadata"]["uid"], application["spec"]
    state = application.get("status", {}).get("applicationState", {}).get("state", "")
    changed = _specs.get(uid, spec) != spec and state != ""
    _specs[uid] = spec
    return bool(changed)


def _submit(application: Object, status: Object) -> None:
    submission_id = str(uuid.uuid4())
    status["submissionID"] = submission_id
    status["driverInfo"] = {"podName": driver_pod(application)}
    status["lastSubmissionAttemptTime"] = now()
    status["submissionAttempts"] = status.get("submissionAttempts", 0) + 1
    if problem := submit(application, submission_id):
        status["applicationState"] = {"state": "SUBMISSION_FAILED", "errorMessage": problem}
    else:
        status["applicationState"] = {"state": "SUBMITTED"}
        status["executionAttempts"] = status.get("executionAttempts", 0) + 1


def _watch(application: Object, status: Object) -> None:
    namespace = application["metadata"]["namespace"]
    driver = cluster.get(PODS, namespace, status["driverInfo"]["podName"])
    if driver is None:
        waited = _seconds_since(status["lastSubmissionAttemptTime"])
        if status["applicationState"]["state"] != "SUBMITTED" or waited > _DRIVER_GRACE:
            status["applicationState"] = {"state": "FAILING", "errorMessage": "driver pod not found"}
            status["terminationTime"] = now()
        return
    status["sparkApplicationId"] = driver["metadata"]["labels"].get("spark-app-selector", "")
    state = driver_state(driver)
    status["applicationState"]["state"] = state
    if state in ("SUCCEEDING", "FAILING"):
        status.setdefault("terminationTime", now())
    if problem := failure(driver):
        status["applicationState"]["errorMessage"] = problem
    _watch_executors(application, status)


def _watch_executors(application: Object, status: Object) -> None:
    labels = {
        APP_NAME: application["metadata"]["name"],
        SUBMISSION_ID: status["submissionID"],
        "spark-role": "executor",
    }
    pods = cluster.find(PODS, application["metadata"]["namespace"], labels)
    states = executor_states(pods, status.get("executorState", {}), status["applicationState"]["state"])
    if states:
        status["executorState"] = states


def _submission_failed(application: Object, status: Object) -> None:
    if not _may_retry(application, status):
        status["applicationState"]["state"] = "FAILED"
        status["terminationTime"] = now()
    elif _is_due(application, status, "onSubmissionFailureRetryInterval") and _is_driver_gone(application):
        _submit(application, status)


def _succeeding(application: Object, status: Object) -> None:
    if _may_retry(application, status):
        _rerun(application, status)
    else:
        status["applicationState"]["state"] = "COMPLETED"


def _failing(application: Object, status: Object) -> None:
    if not _may_retry(application, status):
        status["applicationState"]["state"] = "FAILED"
    elif _is_due(application, status, "onFailureRetryInterval"):
        _rerun(application, status)


def _invalidating(application: Object, status: Object) -> None:
    for field in ("submissionAttempts", "executionAttempts", "lastSubmissionAttemptTime"):
        status.pop(field, None)
    _rerun(application, status)


def _rerun(application: Object, status: Object) -> None:
    _is_driver_gone(application)
    for field in ("sparkApplicationId", "terminationTime", "executorState"):
        status.pop(field, None)
    status["driverInfo"] = {}
    status["applicationState"] = {"state": "PENDING_RERUN"}


def _pending_rerun(application: Object, status: Object) -> None:
    if _is_driver_gone(application):
        _submit(application, status)


def _ended(application: Object, status: Object) -> None:
    if "executorState" in status:
        _watch_executors(application, status)


def _is_driver_gone(application: Object) -> bool:
    """Delete the driver's pod; return true once it is gone."""
    namespace, name = application["metadata"]["namespace"], driver_pod(application)
    if cluster.get(PODS, namespace, name) is None:
        return True
    cluster.delete(PODS, namespace, name)
    return False


def _may_retry(application: Object, status: Object) -> bool:
    policy, state = application["spec"].get("restartPolicy", {}), status["applicationState"]["state"]
    if policy.get("type", "Never") != "OnFailure":
        return bool(policy.get("type") == "Always")
    if state == "FAILING":
        return bool(status.get("executionAttempts", 0) <= policy.get("onFailureRetries", -1))
    retries = policy.get("onSubmissionFailureRetries", -1)
    return bool(state == "SUBMISSION_FAILED" and status.get("submissionAttempts", 0) <= retries)


def _is_due(application: Object, status: Object, interval: str) -> bool:
    """As with the operator, each retry waits longer than the last one, counted from the last submission."""
    seconds = application["spec"].get("restartPolicy", {}).get(interval, _DEFAULT_INTERVAL)
    since = _seconds_since(status["lastSubmissionAttemptTime"])
    return bool(since >= seconds * status.get("submissionAttempts", 1))


def _seconds_since(time: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()


_STEPS: dict[str, Callable[[Object, Object], None]] = {
    "": _submit,
    "SUBMITTED": _watch,
    "RUNNING": _watch,
    "UNKNOWN": _watch,
    "SUBMISSION_FAILED": _submission_failed,
    "SUCCEEDING": _succeeding,
    "FAILING": _failing,
    "INVALIDATING": _invalidating,
    "PENDING_RERUN": _pending_rerun,
    "COMPLETED": _ended,
    "FAILED": _ended,
}
