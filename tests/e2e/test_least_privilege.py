"""Drivers are held to their executors. All requests are dry runs, which are admitted as others are."""

import copy
import json
from typing import Any

import pytest
from testbed.cluster.command import KindError, run
from testbed.cluster.deployment import CHART, VALUES

from tests.e2e.installation import SELECTORS, Installation

pytestmark = pytest.mark.timeout(3600)


def kubectl(installation: Installation, account: str, *arguments: str, given: object = None) -> str:
    """Run a dry run as a ServiceAccount; KindError with the refusal."""
    cluster = installation.cluster
    user = f"--as=system:serviceaccount:{cluster.namespace}:{account}"
    options = ("--namespace", cluster.namespace, user, "--dry-run=server")
    given_text = "" if given is None else json.dumps(given)
    return run("kubectl", *arguments, *options, environment=cluster.environment, stdin=given_text)


def executor(installation: Installation, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 any field of a pod
    """The stream's executor under another name, with these changes of its spec."""
    installation.pod("executor")
    running = installation.cluster.api.find("Pod", SELECTORS["executor"])[0]
    metadata = {"name": "stream-exec-again", "labels": running["metadata"]["labels"]}
    spec = copy.deepcopy(running["spec"]) | changes
    del spec["nodeName"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_a_driver_may_create_an_executor(installation: Installation) -> None:
    """Such as the one that the stream has; the stream itself shows that it may delete and label them."""
    assert "created" in kubectl(installation, "spark", "create", "--filename", "-", given=executor(installation))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"volumes": [{"name": "one", "secret": {"secretName": "world-store"}}]}, "no volumes but"),
        (
            {"volumes": [{"name": "one", "persistentVolumeClaim": {"claimName": "data-world-store-0"}}]},
            "no volumes but",
        ),
        ({"serviceAccountName": "default", "serviceAccount": "default"}, "the account spark-executor"),
    ],
)
def test_an_executor_has_nothing_of_others(installation: Installation, changes: dict[str, Any], reason: str) -> None:
    """Neither their Secrets nor their volumes nor their accounts."""
    made = executor(installation, **changes)
    if "volumes" in changes:
        for container in made["spec"]["containers"]:
            container["volumeMounts"] = []
    with pytest.raises(KindError, match=reason):
        kubectl(installation, "spark", "create", "--filename", "-", given=made)


def test_an_executor_gets_no_password_by_its_environment(installation: Installation) -> None:
    """Whatever the password opens."""
    made = executor(installation)
    source = {"secretKeyRef": {"name": "trino-login", "key": "gamelake"}}
    made["spec"]["containers"][0]["env"].append({"name": "PASSWORD", "valueFrom": source})
    with pytest.raises(KindError, match="environment has no Secrets"):
        kubectl(installation, "spark", "create", "--filename", "-", given=made)


def test_a_driver_deletes_no_server_and_no_driver(installation: Installation) -> None:
    """It has the right to delete pods, alone and in collections, and uses it for executors."""
    for name, reason in (
        ("world-store-0", "of its applications only"),
        (installation.pod("driver").name, "no drivers"),
    ):
        with pytest.raises(KindError, match=reason):
            kubectl(installation, "spark", "delete", "pod", name)
    namespace = installation.cluster.namespace
    collection = f"/api/v1/namespaces/{namespace}/pods?labelSelector=app.kubernetes.io/name=world-store&dryRun=All"
    with pytest.raises(KindError, match="of its applications only"):
        installation.cluster.kubectl("delete", "--raw", collection, f"--as=system:serviceaccount:{namespace}:spark")
    assert "deleted" in kubectl(installation, "spark", "delete", "pod", installation.pod("executor").name)


def test_the_reaper_deletes_drivers_and_no_server(installation: Installation, release: str) -> None:
    """On one machine there is none by default."""
    installation.cluster.helm("upgrade", release, CHART, *VALUES, "--set", "spark.reaper.enabled=true")
    with pytest.raises(KindError, match="of its applications only"):
        kubectl(installation, "spark-reaper", "delete", "pod", "world-store-0")
    assert "deleted" in kubectl(installation, "spark-reaper", "delete", "pod", installation.pod("driver").name)


def test_servers_keep_their_configuration_and_volumes(installation: Installation) -> None:
    """A driver may delete ConfigMaps and claims, but of its application only."""
    for what in ("configmap/api", "persistentvolumeclaim/data-world-store-0"):
        with pytest.raises(KindError, match="of its applications only"):
            kubectl(installation, "spark", "delete", what)


def test_no_account_of_the_jobs_reads_secrets(installation: Installation) -> None:
    """The role gives no right to them."""
    for account in ("spark", "spark-executor", "spark-reaper"):
        user = f"--as=system:serviceaccount:{installation.cluster.namespace}:{account}"
        with pytest.raises(KindError, match="forbidden"):
            installation.cluster.kubectl("get", "secrets", user)
