"""The policy that holds drivers to their executors, evaluated as the API server does."""

import copy
import re
from typing import Any

import cel
import pytest

from tests.charts.rendering import NAMESPACE, Charts, Object, of

SPARK = f"system:serviceaccount:{NAMESPACE}:spark"
REAPER = f"{SPARK}-reaper"
LABELS = {"spark-app-selector": "spark-1", "spark-role": "executor", "app.kubernetes.io/name": "spark"}
EXECUTOR: Object = {
    "metadata": {"name": "stream-exec-1", "labels": LABELS},
    "spec": {
        "serviceAccountName": "spark-executor",
        "containers": [
            {
                "name": "spark-kubernetes-executor",
                "env": [
                    {"name": "SPARK_EXECUTOR_ID", "value": "1"},
                    {"name": "SPARK_EXECUTOR_POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                ],
            }
        ],
        "volumes": [
            {"name": "spark-conf-volume-exec", "configMap": {"name": "spark-exec-1-conf-map"}},
            {"name": "spark-local-dir-1", "emptyDir": {"sizeLimit": "20Gi"}},
            {"name": "ca", "secret": {"secretName": "events-cluster-ca-cert"}},
        ],
    },
}
"""As Spark and the operator make it."""


class Policy:
    """The rendered policy; `denies` returns the messages with which it refuses a request."""

    def __init__(self, objects: list[Object]) -> None:
        [policy], [binding] = of(objects, "ValidatingAdmissionPolicy"), of(objects, "ValidatingAdmissionPolicyBinding")
        assert binding["spec"] == {"policyName": policy["metadata"]["name"], "validationActions": ["Deny"]}
        self.spec = policy["spec"]
        [rule] = self.spec["matchConstraints"]["resourceRules"]
        self.watched = {(resource, verb) for resource in rule["resources"] for verb in rule["operations"]}

    def denies(
        self, verb: str, new: Object | None = None, old: Object | None = None, *, user: str = SPARK, of: str = "pods"
    ) -> list[str]:
        assert (of, verb) in self.watched
        request = {"operation": verb, "userInfo": {"username": user}, "resource": {"resource": of}}
        given: dict[str, Any] = {"request": request, "object": new, "oldObject": old, "variables": {}}
        if not all(self._holds(one["expression"], given) for one in self.spec["matchConditions"]):
            return []
        for one in self.spec["variables"]:
            given["variables"][one["name"]] = cel.evaluate(one["expression"], given)
        return [one["message"] for one in self.spec["validations"] if not self._holds(one["expression"], given)]

    def _holds(self, expression: str, given: dict[str, Any]) -> bool:
        try:
            return cel.evaluate(expression, given) is True
        except (RuntimeError, ValueError, TypeError):
            # As failurePolicy Fail does.
            assert self.spec["failurePolicy"] == "Fail"
            return False


@pytest.fixture(scope="module")
def policy(charts: Charts) -> Policy:
    return Policy(charts.render("spark"))


def pod(name: str = "api", **changes: Any) -> Object:  # noqa: ANN401 any field of a pod
    """An executor with other labels or another spec."""
    one = copy.deepcopy(EXECUTOR)
    one["metadata"]["labels"] = changes.pop("labels", LABELS)
    one["spec"] |= changes
    one["metadata"]["name"] = name
    return one


def labelled(**labels: str) -> Object:
    return {"metadata": {"labels": {name.replace("_", "-"): value for name, value in labels.items()}}}


OWN = labelled(spark_app_selector="spark-1")


@pytest.mark.parametrize(
    ("verb", "kind", "new", "old"),
    [
        ("CREATE", "pods", EXECUTOR, None),
        ("UPDATE", "pods", EXECUTOR, EXECUTOR),
        ("DELETE", "pods", None, EXECUTOR),
        ("CREATE", "configmaps", OWN, None),
        ("DELETE", "configmaps", None, OWN),
        ("DELETE", "services", None, OWN),
        ("DELETE", "persistentvolumeclaims", None, OWN),
    ],
)
def test_a_driver_does_its_work(policy: Policy, verb: str, kind: str, new: Object | None, old: Object | None) -> None:
    """It creates, labels and deletes executors, and the objects of its application."""
    assert policy.denies(verb, new, old, of=kind) == []


OTHERS: dict[str, Object] = {
    "a server": {"metadata": {"labels": {"app.kubernetes.io/name": "api"}}},
    "without labels": {"metadata": {}},
    "a driver": labelled(spark_app_selector="spark-2", spark_role="driver"),
    "of no application": labelled(spark_role="executor"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_driver_touches_no_other_pod(policy: Policy, other: str) -> None:
    """It neither deletes nor changes a pod that is no executor, also not by making it look like one."""
    for verb, new in (("DELETE", None), ("UPDATE", EXECUTOR)):
        [message] = policy.denies(verb, new, OTHERS[other])
        assert "objects of its applications only" in message


@pytest.mark.parametrize("kind", ["configmaps", "services", "persistentvolumeclaims"])
def test_a_driver_touches_no_other_object(policy: Policy, kind: str) -> None:
    """Neither the configuration of a server nor its volume."""
    assert policy.denies("DELETE", None, OTHERS["a server"], of=kind)
    assert policy.denies("UPDATE", OWN, OTHERS["a server"], of=kind)
    assert policy.denies("CREATE", OTHERS["a server"], of=kind)


def volume(**source: Any) -> Object:  # noqa: ANN401 any volume
    return pod(volumes=[*EXECUTOR["spec"]["volumes"], {"name": "more", **source}])


def container(kind: str = "containers", **fields: Any) -> Object:  # noqa: ANN401 any field of a container
    one = pod()
    one["spec"].setdefault(kind, []).append({"name": "more", **fields})
    return one


FROM_SECRET = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "trino-login", "key": "gamelake"}}}
TRICKS: dict[str, tuple[Object, str]] = {
    "a Secret as a volume": (volume(secret={"secretName": "world-store"}), "no volumes but"),
    "a projected Secret": (volume(projected={"sources": [{"secret": {"name": "world-store"}}]}), "no volumes but"),
    "another's volume": (volume(persistentVolumeClaim={"claimName": "data-world-store-0"}), "no volumes but"),
    "the machine's disk": (volume(hostPath={"path": "/"}), "no volumes but"),
    "a driver of volumes": (volume(csi={"driver": "one", "nodePublishSecretRef": {"name": "x"}}), "no volumes but"),
    "a Secret in the environment": (container(env=[FROM_SECRET]), "environment has no Secrets"),
    "a Secret as environment": (container(envFrom=[{"secretRef": {"name": "trino-login"}}]), "environment has no"),
    "an init container": (container("initContainers", env=[FROM_SECRET]), "environment has no Secrets"),
    "another account": (pod(serviceAccountName="spark-reaper"), "the account spark-executor"),
    "a server's name": (pod(labels=LABELS | {"app.kubernetes.io/name": "trino"}), "app.kubernetes.io/name=spark"),
    "a broker's name": (pod(labels=LABELS | {"strimzi.io/cluster": "events"}), "none of Strimzi"),
    "the system's priority": (pod(priorityClassName="system-node-critical"), "no priority class of the system"),
    "a driver": (pod(labels=LABELS | {"spark-role": "driver"}), "and no drivers"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_executor_has_what_is_others(policy: Policy, trick: str) -> None:
    """A pod with others' Secrets, volumes, accounts, names or priority is refused, for this reason alone."""
    made, reason = TRICKS[trick]
    [message] = policy.denies("CREATE", made)
    assert reason in message


def test_the_reaper_deletes_pods_of_jobs(policy: Policy) -> None:
    """Drivers too, and no server."""
    assert policy.denies("DELETE", None, OTHERS["a driver"], user=REAPER) == []
    assert policy.denies("DELETE", None, EXECUTOR, user=REAPER) == []
    assert policy.denies("DELETE", None, OTHERS["a server"], user=REAPER)


@pytest.mark.parametrize("user", ["kubernetes-admin", "system:serviceaccount:other:spark"])
def test_others_are_not_held(policy: Policy, user: str) -> None:
    """Neither a person nor an account of another namespace; a second release has a policy of its own."""
    assert policy.denies("DELETE", None, OTHERS["a server"], user=user) == []


def test_what_values_give_executors_is_allowed(charts: Charts) -> None:
    """Secrets and the priority in `jobs.pod` and `global.pod`, the authority of Kafka, and those of the list."""
    values = {
        "global": {
            "kafka": {"caSecret": "kafka-ca"},
            "pod": {
                "volumes": [
                    {"name": "trust", "secret": {"secretName": "trust"}},
                    {"name": "both", "projected": {"sources": [{"secret": {"name": "projected"}}]}},
                ]
            },
        },
        "jobs": {
            "pod": {
                "env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "one"}}}],
                "priorityClassName": "system-cluster-critical",
            }
        },
        "admission": {"secrets": ["more"]},
    }
    policy = Policy(charts.render("spark", values=values))
    for name in ("kafka-ca", "trust", "projected", "keys", "more"):
        assert policy.denies("CREATE", pod(volumes=[{"name": "one", "secret": {"secretName": name}}])) == []
    assert policy.denies("CREATE", EXECUTOR)
    trusted = pod(volumes=[], priorityClassName="system-cluster-critical")
    assert policy.denies("CREATE", trusted) == []


def test_a_volume_that_no_executor_may_have_is_no_value(charts: Charts) -> None:
    """Helm refuses it for jobs of the release, which would wait for executors; without the policy it is accepted."""
    volume = {"name": "cache", "persistentVolumeClaim": {"claimName": "cache"}}
    jobs: Object = {"jobs": {"names": ["stream"], "pod": {"volumes": [volume]}}}
    assert "a volume such as cache" in charts.refusal("spark", jobs)
    assert charts.complaint("spark", jobs | {"admission": {"enabled": False}}) == ""


def test_the_policy_is_for_the_rights_of_the_role(charts: Charts) -> None:
    """Each right of the accounts to change something is held, and none of them may read a Secret."""
    objects = charts.render("spark")
    policy = Policy(objects)
    [driver], [reaper] = of(objects, "Role", "spark"), of(objects, "Role", "spark-reaper")
    verbs = {
        "create": "CREATE",
        "update": "UPDATE",
        "patch": "UPDATE",
        "delete": "DELETE",
        "deletecollection": "DELETE",
    }
    for rule in (*driver["rules"], *reaper["rules"]):
        assert rule["apiGroups"] == [""]
        changes = {(kind, verbs[verb]) for kind in rule["resources"] for verb in rule["verbs"] if verb in verbs}
        assert changes <= policy.watched
        assert not [kind for kind in rule["resources"] if re.search(r"secret|/", kind)]


def test_the_policy_can_be_left_out(charts: Charts) -> None:
    """Where who installs may create no object of the cluster."""
    objects = charts.render("spark", values={"admission": {"enabled": False}})
    assert [one["kind"] for one in objects if one["kind"].startswith("Validating")] == []
