"""The Secrets of a release are made in its cluster, by one Job, and are in no manifest."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.charts.rendering import Charts, Object, containers, of, pods
from tests.charts.variants import VARIANTS
from tests.unit.testbed.kubernetes_api import KubernetesApi

STORE = ["--store=world-store", "--store-address=world-store:6379"]
DATABASE = ["--database=hive-metastore-postgresql"]
TRINO = ["--trino-login=trino-login", "--trino-tls=trino-tls"]
PLAYERS = ["--players=api-players"]


def asked(objects: list[Object]) -> list[str]:
    """What the release's Job is asked to make; nothing without a Job."""
    found = []
    for job in of(objects, "Job"):
        if not job["metadata"]["name"].endswith("-secrets"):
            continue
        [container] = job["spec"]["template"]["spec"]["containers"]
        command, *arguments = container["args"]
        assert command == "secrets"
        found += [one for one in arguments if not one.startswith("--trino-name=")]
    return found


def secrets_of(pod: Object) -> set[str]:
    """The Secrets that a pod mounts, or has in its environment."""
    mounted = {one["secret"]["secretName"] for one in pod["spec"].get("volumes", ()) if "secret" in one}
    sources = [one.get("valueFrom", {}) for container in containers(pod) for one in container.get("env", ())]
    return mounted | {source["secretKeyRef"]["name"] for source in sources if "secretKeyRef" in source}


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_is_drawn_while_rendering(charts: Charts, variant: str) -> None:
    """Two renderings are equal and have no Secret: a rollback, or a tool that renders elsewhere, changes none."""
    files, values = VARIANTS[variant]
    assert of(charts.render("gamelake", *files, values=values), "Secret") == []
    first, second = (charts.text("gamelake", *files, values=values) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("chart", "values", "expected"),
    [
        ("gamelake", {}, [*DATABASE, *STORE, *TRINO]),
        ("gamelake", {"api": {"players": {"mode": "claimed"}}}, [*DATABASE, *STORE, *PLAYERS, *TRINO]),
        ("gamelake", {"api": {"world": {"enabled": False}}, "hive-metastore": {"enabled": False}}, TRINO),
        ("gamelake", {part: {"enabled": False} for part in ("api", "hive-metastore", "trino")}, []),
        ("gamelake", {"global": {"secrets": {"create": False}}}, []),
        ("hive-metastore", {}, DATABASE),
        ("hive-metastore", {"database": {"existingSecret": "mine"}}, []),
        ("api", {"players": {"mode": "token"}}, [*STORE, *PLAYERS]),
        ("api", {"players": {"mode": "token", "existingSecret": "mine"}}, STORE),
        ("api", {"store": {"existingSecret": "mine"}}, []),
        ("api", {"store": {"enabled": False, "existingSecret": "mine"}}, []),
        ("trino", {}, TRINO),
        ("trino", {"tls": {"existingSecret": "mine"}, "global": {"trino": {"caSecret": ""}}}, TRINO[:1]),
    ],
)
def test_a_job_makes_what_is_needed(charts: Charts, chart: str, values: Object, expected: list[str]) -> None:
    """One for all parts of a release; a Secret of your own, or of a part that is elsewhere, is not made."""
    assert asked(charts.render(chart, values=values)) == expected


def test_the_job_can_do_nothing_else(charts: Charts) -> None:
    """It runs before what needs Secrets, and may neither read nor change one."""
    objects = charts.render("gamelake", values={"spark": {"jobs": {"names": ["stream"]}}})
    own = [one for one in objects if one["metadata"]["name"] == "gamelake-secrets"]
    weights = {one["kind"]: int(one["metadata"]["annotations"]["helm.sh/hook-weight"]) for one in own}
    assert weights == {"Job": -2} | dict.fromkeys(("ServiceAccount", "Role", "RoleBinding", "NetworkPolicy"), -3)
    assert {one["metadata"]["annotations"]["helm.sh/hook"] for one in own} == {"pre-install,pre-upgrade"}
    [role] = of(own, "Role")
    assert role["rules"] == [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}]
    [upgrade] = of(objects, "Job", "spark-upgrade")
    assert int(upgrade["metadata"]["annotations"]["helm.sh/hook-weight"]) > weights["Job"]


def test_charts_of_one_namespace_have_hooks_of_their_own(charts: Charts) -> None:
    """Two that are installed at once would otherwise delete each other's Job, or the account that it needs."""
    parts = ("api", "hive-metastore", "trino")
    hooks = [
        (one["kind"], one["metadata"]["name"])
        for part in parts
        for one in charts.render(part)
        if "pre-install" in one["metadata"].get("annotations", {}).get("helm.sh/hook", "")
    ]
    assert len(hooks) == len(set(hooks)) == 5 * len(parts)


def test_the_image_of_the_job_can_be_pinned(charts: Charts) -> None:
    """Once for the release, whose images come from one registry."""
    values = {"global": {"imageRegistry": "registry.example/", "secrets": {"image": {"digest": f"sha256:{'7' * 64}"}}}}
    [job] = of(charts.render("gamelake", values=values), "Job", "gamelake-secrets")
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"registry.example/gamelake/api@sha256:{'7' * 64}"


READERS: dict[str, set[str]] = {
    "api.store.secretName": {"Deployment api", "Deployment world", "StatefulSet world-store", "Pod world-test"},
    "hive-metastore.database.secretName": {"Deployment hive-metastore", "StatefulSet hive-metastore-postgresql"},
    "global.trino.loginSecret": {
        *(f"Deployment {name}" for name in ("api", "world", "trino", "trino-worker")),
        "Pod trino-test",
    },
    "global.trino.caSecret": {*(f"Deployment {name}" for name in ("api", "world", "trino")), "Pod trino-test"},
}
"""The pods that have a Secret, by the value with its name."""


@pytest.mark.parametrize("value", READERS)
def test_a_new_name_makes_a_new_secret_and_restarts_its_readers(charts: Charts, value: str) -> None:
    """All pods that had the old Secret have the new one, and no other pod changes; so rotation is one value."""
    workers: Object = {"trino": {"worker": {"replicas": 1}}}
    chosen: Any = "second"
    for name in reversed(value.split(".")):
        chosen = {name: chosen}
    before, after = charts.render("gamelake", values=workers), charts.render("gamelake", values=workers | chosen)
    [old] = set(asked(before)) - set(asked(after))
    assert set(asked(after)) - set(asked(before)) == {f"{old.partition('=')[0]}=second"}
    old_pods, new_pods = (dict(pods(objects)) for objects in (before, after))
    changed = {where for where in old_pods if old_pods[where] != new_pods[where]}
    assert changed - {"Job gamelake-secrets"} == READERS[value]
    name = old.partition("=")[2]
    assert [where for where, pod in new_pods.items() if name in secrets_of(pod)] == []


EXISTING = {
    "hive-metastore": {"database": {"existingSecret": "mine"}},
    "api": {"store": {"existingSecret": "mine"}, "players": {"mode": "claimed", "existingSecret": "mine"}},
}


@pytest.mark.parametrize("chart", EXISTING)
def test_an_existing_secret_is_used(charts: Charts, chart: str) -> None:
    """With existingSecret the chart makes no Secret, and every pod reads the password from the existing one."""
    usual = {one.partition("=")[2] for one in asked(charts.render(chart))}
    objects = charts.render(chart, values=EXISTING[chart])
    assert asked(objects) == []
    taken = set().union(*(secrets_of(pod) for _, pod in pods(objects)))
    assert "mine" in taken
    assert not taken & usual


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    return tmp_path / "kubeconfig"


@pytest.fixture
def cluster(kubeconfig: Path) -> Iterator[KubernetesApi]:
    with KubernetesApi(kubeconfig) as api:
        yield api


def store(**annotations: str) -> Object:
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    metadata: Object = {"name": "world-store", "namespace": "gamelake", "labels": labels, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"password": "b2xk", "url": "b2xk"}}


OWNED = {"meta.helm.sh/release-name": "gamelake", "meta.helm.sh/release-namespace": "gamelake"}
KEPT = {"helm.sh/resource-policy": "keep"}


def test_a_secret_of_an_older_release_is_kept(charts: Charts, cluster: KubernetesApi, kubeconfig: Path) -> None:
    """Helm would delete what leaves its manifest: an upgrade first marks the Secret, with the data that it has."""
    cluster.put(store(**OWNED))
    [secret] = of(charts.render_live("api", kubeconfig), "Secret")
    assert secret["metadata"]["name"] == "world-store"
    assert secret["metadata"]["annotations"] == KEPT
    assert secret["data"] == store()["data"]


@pytest.mark.parametrize("annotations", [OWNED | KEPT, {}, {"meta.helm.sh/release-name": "another"}])
def test_then_it_is_in_no_manifest(
    charts: Charts, cluster: KubernetesApi, kubeconfig: Path, annotations: dict[str, str]
) -> None:
    """Nor is one that the Job has made, or that is not this release's."""
    cluster.put(store(**annotations))
    assert of(charts.render_live("api", kubeconfig), "Secret") == []
