"""What values say of pods reaches all of them, or those of one component, and takes away what null stands for."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.charts.rendering import Charts, Object, application, containers, of, pods

EVERYTHING: Object = {
    "labels": {"team": "lake"},
    "annotations": {"sidecar.example/inject": "false"},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "games", "operator": "Exists"}],
    "topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}],
    "priorityClassName": "games",
    "terminationGracePeriodSeconds": 777,
    "env": [{"name": "HTTPS_PROXY", "value": "http://proxy.example"}],
    "volumes": [{"name": "trust", "configMap": {"name": "trust"}}],
    "volumeMounts": [{"name": "trust", "mountPath": "/mnt/trust"}],
}
JOBS = {"spark": {"jobs": {"names": ["stream", "maintain", "batch", "tables"]}}}
LARGE = {**JOBS, "kafka": {"rack": {"topologyKey": "zone"}}}

COMPONENTS = {
    "api pod": {"Deployment api"},
    "api world.pod": {"Deployment world"},
    "api store.pod": {"StatefulSet world-store"},
    "trino coordinator.pod": {"Deployment trino"},
    "trino worker.pod": {"Deployment trino-worker"},
    "hive-metastore pod": {"Deployment hive-metastore"},
    "hive-metastore postgresql.pod": {"StatefulSet hive-metastore-postgresql"},
    **{f"hdfs {name}.pod": {f"StatefulSet {name}"} for name in ("namenode", "journalnode", "zookeeper", "datanode")},
    "kafka pod": {"KafkaNodePool broker"},
    "kafka controllers.pod": {"KafkaNodePool controller"},
    "kafka entityOperator.pod": {"Kafka events"},
    "spark reaper.pod": {"Deployment spark-reaper"},
    "spark jobs.pod": {
        "Job spark-upgrade",
        *(f"{job} {role}" for job in JOBS["spark"]["jobs"]["names"] for role in ("driver", "executor")),
    },
}
"""The pods of each map of values."""


def _pod(metadata: Object, spec: Object, containers_: list[Object]) -> Object:
    return {"metadata": metadata, "spec": {**spec, "containers": containers_}}


def _every(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Every pod in one form, also those that operators make."""
    yield from pods(objects)
    for one in (*of(objects, "KafkaNodePool"), *of(objects, "Kafka")):
        template = one["spec"].get("template") or one["spec"]["entityOperator"]["template"]
        own = template["pod"]
        inside = [part for name, part in template.items() if name.lower().endswith("container")]
        yield f"{one['kind']} {one['metadata']['name']}", _pod(own["metadata"], own, inside)
    for one in objects:
        if one["apiVersion"].startswith("sparkoperator"):
            spec = application(one)
            for role in ("driver", "executor"):
                own = spec[role]
                inner = {**own, **own.get("template", {}).get("spec", {}), "volumes": spec["volumes"]}
                inner["securityContext"] = own["podSecurityContext"]
                yield f"{one['metadata']['name']} {role}", _pod(own, inner, [own])


def _lacking(pod: Object) -> list[str]:
    """What a pod lacks of EVERYTHING."""
    spec = pod["spec"]
    lacking = [
        name
        for name in ("labels", "annotations")
        if not pod["metadata"].get(name, {}).items() >= EVERYTHING[name].items()
    ]
    for name in ("tolerations", "volumes"):
        if EVERYTHING[name][0] not in spec.get(name, []):
            lacking.append(name)
    lacking += [
        name for name in ("priorityClassName", "terminationGracePeriodSeconds") if spec.get(name) != EVERYTHING[name]
    ]
    lacking += [
        name
        for name in ("env", "volumeMounts")
        for container in containers(pod)
        if EVERYTHING[name][0] not in container.get(name, [])
    ]
    of_strimzi = [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["fast"]}]}]
    if spec.get("nodeSelector") != EVERYTHING["nodeSelector"] and _node_terms(spec) != of_strimzi:
        lacking.append("nodeSelector")
    [constraint] = spec.get("topologySpreadConstraints", [{}])
    if not constraint.items() >= EVERYTHING["topologySpreadConstraints"][0].items():
        lacking.append("topologySpreadConstraints")
    return lacking


def _node_terms(spec: Object) -> list[Object]:
    affinity = spec.get("affinity", {}).get("nodeAffinity", {})
    return list(affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", []))


def test_all_pods_have_what_is_said_of_all(charts: Charts) -> None:
    """global.pod reaches servers, tests, hooks, Strimzi's pods, drivers and executors, and each of their containers."""
    objects = charts.render("gamelake", "values-ha.yaml", values=LARGE | {"global": {"pod": EVERYTHING}})
    found = dict(_every(objects))
    assert set().union(*COMPONENTS.values()) < found.keys()
    assert {where: missing for where, pod in found.items() if (missing := _lacking(pod))} == {}


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_components_pods_have_what_is_said_of_them(charts: Charts, component: str) -> None:
    """The map of a component changes its pods, and no others."""
    chart, path = component.split()
    chosen: Any = EVERYTHING
    for name in (*reversed(path.split(".")), chart):
        chosen = {name: chosen}
    for name, value in LARGE.items():
        chosen[name] = {**value, **chosen.get(name, {})}
    if chart == "spark":
        chosen["spark"]["jobs"] |= JOBS["spark"]["jobs"]
    found = dict(_every(charts.render("gamelake", "values-ha.yaml", values=chosen)))
    usual = dict(_every(charts.render("gamelake", "values-ha.yaml", values=LARGE)))
    changed = {where for where, pod in found.items() if _without_checksums(pod) != _without_checksums(usual[where])}
    assert changed == COMPONENTS[component]
    assert {where: missing for where in changed if (missing := _lacking(found[where]))} == {}


def _without_checksums(pod: Object) -> str:
    return re.sub(r"'checksum/\w+': '\w+'", "", str(pod))


def test_values_are_added_to_the_charts_own(charts: Charts) -> None:
    """Maps are merged and lists appended, from the chart to global.pod to the component; the later value counts."""
    own = {"name": "own", "emptyDir": {}}
    chosen = {
        "global": {"pod": {"labels": {"a": "all", "b": "all"}, "volumes": EVERYTHING["volumes"]}},
        "pod": {"labels": {"b": "own"}, "volumes": [own], "affinity": {"nodeAffinity": {}}},
    }
    [deployment] = of(charts.render("api", values=chosen), "Deployment", "api")
    [usual] = of(charts.render("api"), "Deployment", "api")
    pod, before = deployment["spec"]["template"], usual["spec"]["template"]
    assert pod["metadata"]["labels"] == before["metadata"]["labels"] | {"a": "all", "b": "own"}
    assert pod["spec"]["volumes"] == [*before["spec"]["volumes"], *EVERYTHING["volumes"], own]
    assert pod["spec"]["affinity"] == before["spec"]["affinity"] | {"nodeAffinity": {}}


@pytest.mark.parametrize("above", ["global", "component"])
def test_null_removes_what_the_chart_says(charts: Charts, above: str) -> None:
    """A null for a key removes it, at any depth, and leaves its neighbours."""
    pod = {"affinity": None, "securityContext": {"runAsUser": None}}
    chosen = {"global": {"pod": pod}} if above == "global" else {"hive-metastore": {"pod": pod}}
    [deployment] = of(charts.render("gamelake", values=chosen), "Deployment", "hive-metastore")
    spec = deployment["spec"]["template"]["spec"]
    assert "affinity" not in spec
    assert "runAsUser" not in spec["securityContext"]
    assert spec["securityContext"]["runAsNonRoot"]


def test_openshift_chooses_users_and_groups(charts: Charts) -> None:
    """With values-openshift.yaml no pod has the ID of a user or group, and each may ask that cluster's DNS."""
    files = ("values-ha.yaml", "values-openshift.yaml")
    found = dict(_every(charts.render("gamelake", *files, values=LARGE)))
    fixed = {"runAsUser", "runAsGroup", "fsGroup"}
    for where, pod in found.items():
        assert pod["spec"]["securityContext"]["runAsNonRoot"], where
        for context in (pod["spec"]["securityContext"], *(one["securityContext"] for one in containers(pod))):
            assert not context.keys() & fixed, where
    # As usual every pod has one.
    usual = dict(_every(charts.render("gamelake", "values-ha.yaml", values=LARGE)))
    assert all(pod["spec"]["securityContext"].keys() & fixed for pod in usual.values())


def test_a_spread_is_over_the_components_pods(charts: Charts) -> None:
    """A constraint without a selector counts the pods of its component; one with a selector keeps it."""
    other = {**EVERYTHING["topologySpreadConstraints"][0], "labelSelector": {"matchLabels": {"team": "lake"}}}
    constraints = [*EVERYTHING["topologySpreadConstraints"], other]
    objects = charts.render("gamelake", values={"global": {"pod": {"topologySpreadConstraints": constraints}}})
    [workers] = of(objects, "Deployment", "trino-worker")
    own, given = workers["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert own["labelSelector"] == workers["spec"]["selector"]
    assert given == other
    [pool] = of(objects, "KafkaNodePool")
    [own, _] = pool["spec"]["template"]["pod"]["topologySpreadConstraints"]
    assert own["labelSelector"]["matchLabels"] == {"strimzi.io/cluster": "events", "strimzi.io/pool-name": "dual"}


def test_brokers_keep_their_own_affinity_beside_a_selector(charts: Charts) -> None:
    """Strimzi has no nodeSelector: what it asks for is added to every term of the affinity to nodes."""
    terms = [{"matchExpressions": [{"key": "arch", "operator": "Exists"}]}, {"matchFields": []}]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    [pool] = of(
        charts.render("kafka", values={"pod": {"nodeSelector": {"disk": "fast"}, "affinity": affinity}}),
        "KafkaNodePool",
    )
    asked = {"key": "disk", "operator": "In", "values": ["fast"]}
    found = pool["spec"]["template"]["pod"]["affinity"]
    assert _node_terms(pool["spec"]["template"]["pod"]) == [
        {"matchExpressions": [{"key": "arch", "operator": "Exists"}, asked]},
        {"matchFields": [], "matchExpressions": [asked]},
    ]
    assert "podAntiAffinity" in found


def test_no_pod_can_fill_a_machine(charts: Charts) -> None:
    """Every volume on the machine's own disk has a limit."""
    for values in (JOBS, {**JOBS, "global": {"hdfs": {"namenodes": 2}}}):
        unlimited = [
            f"{where} {volume['name']}"
            for where, pod in _every(charts.render("gamelake", values=values))
            for volume in pod["spec"].get("volumes", [])
            if "emptyDir" in volume and not volume["emptyDir"].get("sizeLimit")
        ]
        assert unlimited == []


@pytest.mark.parametrize("role", ["driver", "executor"])
def test_jobs_cannot_fill_a_machine_with_what_exceeds_their_memory(charts: Charts, role: str) -> None:
    """Spark writes it to a volume with the limit of spark.jobs.scratch, by whose name Spark makes no other."""
    values = {"jobs": {"names": ["stream"], "scratch": "7Gi"}}
    [stream] = of(charts.render("spark", values=values), "SparkApplication", "stream")
    volume = f"spark.kubernetes.{role}.volumes.emptyDir.spark-local-dir-1"
    settings = stream["spec"]["sparkConf"]
    assert settings[f"{volume}.options.sizeLimit"] == "7Gi"
    assert settings[f"{volume}.mount.path"]


def test_an_unready_pod_does_not_stop_a_drain(charts: Charts) -> None:
    """Every disruption budget allows the eviction of pods that serve nobody."""
    budgets = of(charts.render("gamelake", "values-ha.yaml"), "PodDisruptionBudget")
    assert budgets
    assert {one["spec"]["unhealthyPodEvictionPolicy"] for one in budgets} == {"AlwaysAllow"}


def test_claims_have_annotations(charts: Charts) -> None:
    """The annotations of a component's storage are on its claims, also on those that Strimzi makes."""
    storage = {"storage": {"annotations": {"backup.example/policy": "daily"}}}
    hdfs = dict.fromkeys(("namenode", "journalnode", "zookeeper", "datanode"), storage)
    chosen = {
        "kafka": {**storage, "controllers": storage},
        "hdfs": hdfs,
        "hive-metastore": {"postgresql": storage},
        "api": {"store": storage, "world": {"snapshots": {**storage, "persistent": True}}},
    }
    objects = charts.render("gamelake", "values-ha.yaml", values=chosen)
    claims = [claim for one in of(objects, "StatefulSet") for claim in one["spec"]["volumeClaimTemplates"]]
    claims += of(objects, "PersistentVolumeClaim")
    claims += [one["spec"]["template"]["persistentVolumeClaim"] for one in of(objects, "KafkaNodePool")]
    assert len(claims) == 9
    for claim in claims:
        assert claim["metadata"]["annotations"]["backup.example/policy"] == "daily", claim
