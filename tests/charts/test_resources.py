"""Requests and limits fit the machine, and programs fit their pods."""

import re
from collections.abc import Iterator

import pytest

from tests.charts.rendering import ROOT, Charts, Object, application, containers, environment, jobs, of, pods
from tests.charts.variants import VARIANTS

UNITS = {
    "": 1,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
}


def amount(text: str | int) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\D*)", str(text)).groups()  # type: ignore[union-attr]
    return float(number) * UNITS[unit]


def java(text: str) -> float:
    """Java and Spark use powers of two."""
    return float(text[:-1]) * {"m": 2**20, "g": 2**30}[text[-1].lower()]


def asked(objects: list[Object]) -> Iterator[tuple[str, Object, int]]:
    """Name, resources and number of each kind of pod, without test pods."""
    for one in objects:
        if one["kind"] in ("Deployment", "StatefulSet"):
            for container in one["spec"]["template"]["spec"]["containers"]:
                yield one["metadata"]["name"], container["resources"], one["spec"].get("replicas", 1)
    [kafka] = of(objects, "Kafka")
    for pool in of(objects, "KafkaNodePool"):
        yield f"kafka {pool['metadata']['name']}", pool["spec"]["resources"], pool["spec"]["replicas"]
    for operator in ("topicOperator", "userOperator"):
        yield operator, kafka["spec"]["entityOperator"][operator]["resources"], 1


def test_the_small_cluster_fits(charts: Charts) -> None:
    """With values-kind.yaml, the stream and one more job, all requests fit 1.5 CPUs and 10 GiB."""
    parts = list(asked(charts.render("gamelake", "values-kind.yaml")))
    cpu = sum(count * amount(resources["requests"]["cpu"]) for _, resources, count in parts)
    memory = sum(count * amount(resources["limits"]["memory"]) for _, resources, count in parts)
    for job in ("stream", "batch"):
        for role in ("driver", "executor"):
            pod = application(jobs()[job])[role]
            cpu += pod.get("instances", 1) * amount(pod["coreRequest"])
            memory += pod.get("instances", 1) * (java(pod["memory"]) + java(pod["memoryOverhead"]))
    assert cpu <= 1.5
    assert memory <= 10 * 2**30


def test_three_machines_fit_one_computer(charts: Charts) -> None:
    """With values-kind-ha.yaml the requests of all servers fit 1.5 CPUs, and their limits 16 GiB."""
    files, _ = VARIANTS["kind ha"]
    parts = list(asked(charts.render("gamelake", *files)))
    assert sum(count * amount(resources["requests"]["cpu"]) for _, resources, count in parts) <= 1.5
    assert sum(count * amount(resources["limits"]["memory"]) for _, resources, count in parts) <= 16 * 2**30


@pytest.mark.parametrize("variant", ["default", "kind", "ha", "kind ha"])
def test_every_container_has_requests_and_a_memory_limit(charts: Charts, variant: str) -> None:
    """Each container requests CPU and memory; memory has a limit, CPU has none, because a limit would throttle."""
    files, _ = VARIANTS[variant]
    objects = charts.render("gamelake", *files)
    every = [(name, resources) for name, resources, _ in asked(objects)]
    every += [(where, container["resources"]) for where, pod in pods(objects) for container in containers(pod)]
    for name, resources in every:
        assert resources["requests"].keys() == {"cpu", "memory"}, name
        assert resources["limits"].keys() == {"memory"}, name
        assert amount(resources["requests"]["memory"]) <= amount(resources["limits"]["memory"]), name


@pytest.mark.parametrize("variant", ["default", "kind", "ha", "kind ha"])
def test_heaps_fit_their_pods(charts: Charts, variant: str) -> None:
    """A Java heap leaves a quarter of the pod's memory to everything else."""
    files, _ = VARIANTS[variant]
    objects = charts.render("gamelake", *files)
    heaps = []
    for where, pod in pods(objects):
        for container in pod["spec"]["containers"]:
            for name, value in environment(objects, container).items():
                if name.endswith("_HEAP"):
                    heaps.append((where, java(value), amount(container["resources"]["limits"]["memory"])))
    for pool in of(objects, "KafkaNodePool"):
        name, spec = pool["metadata"]["name"], pool["spec"]
        heaps.append((name, java(spec["jvmOptions"]["-Xmx"]), amount(spec["resources"]["limits"]["memory"])))
    assert len(heaps) >= 6
    for where, heap, memory in heaps:
        assert heap <= 0.75 * memory, where


def test_trino_spills_into_a_volume_that_is_large_enough(charts: Charts) -> None:
    """Each node spills into a volume of its own, and stops before it fills it: a pod that does is evicted."""
    objects = charts.render("trino", values={"spill": {"gib": 7}, "worker": {"replicas": 2}})
    nodes = [pod["spec"] for where, pod in pods(objects) if where.startswith("Deployment")]
    assert len(nodes) == 2
    for node in nodes:
        [container] = node["containers"]
        given = environment(objects, container)
        [mount] = [one for one in container["volumeMounts"] if one["mountPath"] == given["TRINO_SPILL"]]
        [volume] = [one for one in node["volumes"] if one["name"] == mount["name"]]
        assert given["TRINO_SPILL_LIMIT"] == "7GB"
        assert amount(volume["emptyDir"]["sizeLimit"]) > 7 * 2**30


def test_trinos_nodes_have_the_limits_of_the_image(charts: Charts) -> None:
    """The chart's files of properties repeat those of the image that bound queries."""
    [config] = of(charts.render("trino"), "ConfigMap", "trino")
    of_image = properties((ROOT / "images/trino/etc/config.properties").read_text())
    bounds = ("query.", "dynamic-filtering.")
    limits = {name: value for name, value in of_image.items() if "spill" in name or name.startswith(bounds)}
    assert len(limits) == 7
    for role in ("coordinator", "worker"):
        assert properties(config["data"][f"{role}.properties"]).items() >= limits.items()


def properties(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_large_cluster_survives_the_loss_of_a_machine(charts: Charts) -> None:
    """With values-ha.yaml parts with data have three replicas, others two or more, on different machines."""
    objects = charts.render("gamelake", "values-ha.yaml")
    counts = {name: count for name, _, count in asked(objects)}
    assert (counts["kafka broker"], counts["kafka controller"]) == (3, 3)
    assert (counts["datanode"], counts["hive-metastore"]) == (3, 2)
    assert (counts["namenode"], counts["journalnode"], counts["zookeeper"]) == (2, 3, 3)
    assert "secondarynamenode" not in counts
    assert counts["trino-worker"] >= 2
    assert of(objects, "HorizontalPodAutoscaler", "api")[0]["spec"]["minReplicas"] == 3
    [topic], [kafka] = of(objects, "KafkaTopic"), of(objects, "Kafka")
    assert topic["spec"]["replicas"] == 3
    assert (
        kafka["spec"]["kafka"]["config"]["min.insync.replicas"] == topic["spec"]["config"]["min.insync.replicas"] == 2
    )
    assert kafka["spec"]["kafka"]["rack"] == {"topologyKey": "topology.kubernetes.io/zone"}
    # Otherwise a machine with a broker and a controller could not be drained.
    assert kafka["spec"]["kafka"]["template"]["podDisruptionBudget"] == {"maxUnavailable": 2}
    server, client = (of(objects, "ConfigMap", name)[0]["data"]["hdfs-site.xml"] for name in ("hdfs", "hdfs-client"))
    assert "dfs.namenode.heartbeat.recheck-interval" in server
    assert "replace-datanode-on-failure.best-effort" in client
    apart = ["api", "datanode", "hive-metastore", "namenode", "journalnode", "zookeeper"]
    assert [name for name in apart if not of(objects, "PodDisruptionBudget", name)] == []
    for where, pod in pods(objects):
        if where.split()[1] in (*apart, "trino-worker"):
            assert "podAntiAffinity" in pod["spec"]["affinity"], where


def test_what_can_start_elsewhere_leaves_a_lost_machine_soon(charts: Charts) -> None:
    """Deployments, the entity operator and the jobs wait for half a minute; on a cluster of one machine, five."""
    objects = charts.render("gamelake", "values-ha.yaml", values=VARIANTS["jobs"][1])
    [kafka] = of(objects, "Kafka")
    leaving = {where: pod["spec"] for where, pod in pods(objects) if where.startswith("Deployment")}
    leaving["entity operator"] = kafka["spec"]["entityOperator"]["template"]["pod"]
    for job in (*of(objects, "SparkApplication"), *of(objects, "ScheduledSparkApplication")):
        leaving |= {f"{job['metadata']['name']} {role}": application(job)[role] for role in ("driver", "executor")}
    assert len(leaving) >= 14
    for where, pod in leaving.items():
        assert patience(pod) == {"not-ready": 30, "unreachable": 30}, where
        claims = [one for one in pod.get("volumes", ()) if "persistentVolumeClaim" in one]
        assert claims == [], f"{where} is bound to its volume"
    [world] = [pod for where, pod in pods(charts.render("gamelake", "values-kind.yaml")) if where == "Deployment world"]
    assert patience(world["spec"]) == {"not-ready": 300, "unreachable": 300}


def patience(pod: Object) -> dict[str, int]:
    """The seconds for which a pod stays on a machine, by what that is."""
    return {one["key"].removeprefix("node.kubernetes.io/"): one["tolerationSeconds"] for one in pod["tolerations"]}


@pytest.mark.parametrize("variant", ["default", "kind", "ha", "kind ha"])
def test_the_store_fits_its_pod(charts: Charts, variant: str) -> None:
    """The memory limit is twice maxMemory: rewriting the append-only file may need a copy of the data."""
    files, _ = VARIANTS[variant]
    [pod] = [pod for where, pod in pods(charts.render("gamelake", *files)) if where == "StatefulSet world-store"]
    [container] = pod["spec"]["containers"]
    memory = java(environment([], container)["STORE_MEMORY"].removesuffix("b"))
    assert 2 * memory <= amount(container["resources"]["limits"]["memory"])


@pytest.mark.parametrize("variant", ["default", "kind", "ha", "kind ha"])
def test_a_slow_start_is_allowed(charts: Charts, variant: str) -> None:
    """Every server may take ten minutes to start, has a readiness probe, and is restarted when it hangs."""
    files, _ = VARIANTS[variant]
    for where, pod in pods(charts.render("gamelake", *files)):
        if where.startswith(("Pod ", "Job ", "CronJob ")):
            continue
        for container in pod["spec"]["containers"]:
            assert container.keys() >= {"startupProbe", "readinessProbe", "livenessProbe"}, where
            start = container["startupProbe"]
            assert start["periodSeconds"] * start["failureThreshold"] >= 600, where


def test_the_metastore_waits_for_its_database(charts: Charts) -> None:
    """The metastore waits for the chart's own PostgreSQL, so that a first installation restarts nothing."""

    def awaited(**database: str) -> list[str]:
        [pod] = [
            pod["spec"]
            for where, pod in pods(charts.render("hive-metastore", values={"database": database}))
            if where == "Deployment hive-metastore"
        ]
        return [container["command"][-1] for container in pod.get("initContainers", ())]

    [command] = awaited()
    [service] = of(charts.render("hive-metastore"), "Service", "hive-metastore-postgresql")
    assert f"pg_isready --host={service['metadata']['name']} " in command
    assert awaited(url="jdbc:postgresql://mine/metastore", existingSecret="mine") == []


def test_changed_settings_restart_the_pods_that_read_them(charts: Charts) -> None:
    """Pods that read a ConfigMap at start have its checksum."""
    changes: dict[str, tuple[Object, list[str]]] = {
        "hdfs": (
            {"global": {"hdfs": {"replication": 1}}, "config": {"dfs.heartbeat.interval": 5}},
            ["namenode", "secondarynamenode", "datanode"],
        ),
        "trino": ({"config": {"query.max-memory": "1GB"}}, ["trino", "trino-worker"]),
        "api": ({"threads": 8}, ["api", "world"]),
        "hive-metastore": ({"heap": "300m"}, ["hive-metastore"]),
    }
    for chart, (values, names) in changes.items():
        before, after = _checksums(charts.render(chart)), _checksums(charts.render(chart, values=values))
        for name in names:
            assert before[name] != after[name], name


def test_a_changed_hdfs_restarts_its_clients(charts: Charts) -> None:
    """Servers that read the ConfigMap of another chart have a checksum of the values that it is made of."""
    before = _checksums(charts.render("gamelake"), "checksum/hdfs-client")
    for hdfs in ({"replication": 2}, {"namenodes": 2}):
        values = {"global": {"hdfs": hdfs}, "hdfs": {"datanode": {"replicas": 2}}}
        after = _checksums(charts.render("gamelake", values=values), "checksum/hdfs-client")
        for name in ("hive-metastore", "trino", "trino-worker"):
            assert before[name] != after[name], name


def _checksums(objects: list[Object], name: str = "checksum/config") -> dict[str, str]:
    return {where.split()[1]: pod["metadata"].get("annotations", {}).get(name, "") for where, pod in pods(objects)}
