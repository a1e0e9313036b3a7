"""The part of the Kubernetes API that the stand-ins need."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

Object = dict[str, Any]

_SERVER = "https://kubernetes.default.svc"
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT = 30


@dataclass(frozen=True)
class Resource:
    """A kind of object."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}".lstrip("/")

    def path(self, namespace: str, name: str = "") -> str:
        root = "apis" if self.group else "api"
        return f"{_SERVER}/{root}/{self.api_version}/namespaces/{namespace}/{self.plural}/{name}".rstrip("/")


PODS = Resource("", "v1", "pods", "Pod")
SECRETS = Resource("", "v1", "secrets", "Secret")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SERVICES = Resource("", "v1", "services", "Service")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet")
DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
KAFKAS = Resource("kafka.strimzi.io", "v1", "kafkas", "Kafka")
NODE_POOLS = Resource("kafka.strimzi.io", "v1", "kafkanodepools", "KafkaNodePool")
TOPICS = Resource("kafka.strimzi.io", "v1", "kafkatopics", "KafkaTopic")
USERS = Resource("kafka.strimzi.io", "v1", "kafkausers", "KafkaUser")
APPLICATIONS = Resource("sparkoperator.k8s.io", "v1beta2", "sparkapplications", "SparkApplication")
SCHEDULES = Resource("sparkoperator.k8s.io", "v1beta2", "scheduledsparkapplications", "ScheduledSparkApplication")


class ApiError(Exception):
    """The API server refused a request; the message is its own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def get(resource: Resource, namespace: str, name: str) -> Object | None:
    try:
        return _ask("GET", resource.path(namespace, name))
    except ApiError as error:
        if error.code == 404:
            return None
        raise


def find(resource: Resource, namespace: str, labels: dict[str, str]) -> list[Object]:
    """Return the objects with these labels."""
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    found: list[Object] = _ask("GET", resource.path(namespace), params={"labelSelector": selector})["items"]
    return found


def create(resource: Resource, namespace: str, thing: Object) -> None:
    _ask("POST", resource.path(namespace), _typed(resource, thing))


def apply(resource: Resource, namespace: str, thing: Object) -> Object:
    """Create or change an object; fields that others manage stay."""
    return _ask(
        "PATCH",
        resource.path(namespace, thing["metadata"]["name"]),
        _typed(resource, thing),
        kind="application/apply-patch+yaml",
        params={"fieldManager": "standins", "force": "true"},
    )


def delete(resource: Resource, namespace: str, name: str) -> None:
    try:
        _ask("DELETE", resource.path(namespace, name))
    except ApiError as error:
        if error.code != 404:
            raise


def set_status(resource: Resource, body: Object, status: Object) -> None:
    """Replace the object's status if it differs. A field that its definition lacks would make it differ forever."""
    if status != body.get("status"):
        _patch(resource, body, "/status", [{"op": "add", "path": "/status", "value": status}])
        body["status"] = status


def set_finalizers(resource: Resource, body: Object, finalizers: list[str]) -> None:
    version = {"op": "test", "path": "/metadata/resourceVersion", "value": body["metadata"]["resourceVersion"]}
    _patch(resource, body, "", [version, {"op": "add", "path": "/metadata/finalizers", "value": finalizers}])


def owner(resource: Resource, body: Object, controller: bool = False) -> Object:
    """Return a reference to an owner, with which an object is deleted."""
    name, uid = body["metadata"]["name"], body["metadata"]["uid"]
    reference = {"apiVersion": resource.api_version, "kind": resource.kind, "name": name, "uid": uid}
    return {**reference, "controller": True} if controller else reference


def _patch(resource: Resource, body: Object, subresource: str, operations: list[Object]) -> None:
    path = resource.path(body["metadata"]["namespace"], body["metadata"]["name"]) + subresource
    _ask("PATCH", path, operations, kind="application/json-patch+json")


def _typed(resource: Resource, thing: Object) -> Object:
    return {"apiVersion": resource.api_version, "kind": resource.kind, **thing}


def _ask(
    method: str, url: str, body: object = None, kind: str = "application/json", params: dict[str, str] | None = None
) -> Object:
    # Read for each request, because the token is replaced every hour.
    headers = {"Authorization": f"Bearer {(_ACCOUNT / 'token').read_text()}", "Content-Type": kind}
    data = None if body is None else json.dumps(body)
    answer = requests.request(
        method, url, params=params, headers=headers, data=data, verify=str(_ACCOUNT / "ca.crt"), timeout=_TIMEOUT
    )
    if not answer.ok:
        raise ApiError(answer.status_code, _message(answer))
    thing: Object = answer.json()
    return thing


def _message(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError):
        return answer.text
