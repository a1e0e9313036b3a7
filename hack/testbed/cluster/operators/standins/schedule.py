"""Scheduled Spark applications, as the Spark operator runs them."""

import time
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from testbed.cluster.operators.standins import cluster
from testbed.cluster.operators.standins.cluster import APPLICATIONS, SCHEDULES, Object

_SCHEDULE = "sparkoperator.k8s.io/scheduled-app-name"
_PAUSE = 5.0
_ENDED = {"COMPLETED": "Successful", "FAILED": "Failed"}


def reconcile(schedule: Object) -> float:
    spec, status = schedule["spec"], dict(schedule.get("status", {}))
    if spec.get("suspend") or "deletionTimestamp" in schedule["metadata"]:
        return _PAUSE
    now = datetime.now(UTC)
    try:
        following = next_time(spec, now)
    except (ValueError, CronSimError) as problem:
        status |= {"scheduleState": "FailedValidation", "reason": str(problem)}
        cluster.set_status(SCHEDULES, schedule, status)
        return _PAUSE
    status.pop("reason", None)
    due = datetime.fromisoformat(status["nextRun"]) if "nextRun" in status else following
    status |= {"scheduleState": "Scheduled", "nextRun": _text(min(due, following))}
    if due <= now:
        # As with the operator, a run that may not start is skipped until the schedule's next time.
        status["nextRun"] = _text(following)
        if _may_start(schedule):
            status |= {"lastRun": _text(now), "lastRunName": _start(schedule)}
            status |= _tidy(schedule)
    cluster.set_status(SCHEDULES, schedule, status)
    return min(_PAUSE, (following - now) / timedelta(seconds=1))


def next_time(spec: Object, now: datetime) -> datetime:
    """Return the schedule's next time; the operator's local time is UTC."""
    if spec.get("timeZone", "UTC") not in ("UTC", "Local"):
        raise ValueError(f"the stand-in does not support time zone {spec['timeZone']}")
    return next(CronSim(spec["schedule"], now))


def _may_start(schedule: Object) -> bool:
    running = [run for run in _runs(schedule)[:1] if _state(run) not in _ENDED]
    if running and schedule["spec"].get("concurrencyPolicy") == "Replace":
        cluster.delete(APPLICATIONS, schedule["metadata"]["namespace"], running[0]["metadata"]["name"])
    return not running or schedule["spec"].get("concurrencyPolicy", "Allow") != "Forbid"


def _start(schedule: Object) -> str:
    metadata = schedule["metadata"]
    name = f"{metadata['name']}-{time.time_ns()}"
    run = {
        "metadata": {
            "name": name,
            "labels": {_SCHEDULE: metadata["name"], **metadata.get("labels", {})},
            "ownerReferences": [cluster.owner(SCHEDULES, schedule)],
        },
        "spec": schedule["spec"]["template"],
    }
    cluster.create(APPLICATIONS, metadata["namespace"], run)
    return name


def _tidy(schedule: Object) -> Object:
    """Delete the runs beyond the schedule's history limits; return the names of the others."""
    names = {}
    runs = _runs(schedule)
    for state, word in _ENDED.items():
        ended = [run["metadata"]["name"] for run in runs if _state(run) == state]
        limit = schedule["spec"].get(f"{word.lower()}RunHistoryLimit", 1)
        for name in ended[limit:]:
            cluster.delete(APPLICATIONS, schedule["metadata"]["namespace"], name)
        names[f"past{word}RunNames"] = ended[:limit]
    return names


def _runs(schedule: Object) -> list[Object]:
    """Return the schedule's applications, newest first."""
    metadata = schedule["metadata"]
    runs = cluster.find(APPLICATIONS, metadata["namespace"], {_SCHEDULE: metadata["name"]})
    return sorted(runs, key=lambda run: str(run["metadata"]["name"]), reverse=True)


def _state(run: Object) -> str:
    return str(run.get("status", {}).get("applicationState", {}).get("state", ""))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
