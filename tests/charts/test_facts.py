"""Charts, jobs, images and programs agree on the facts that they share."""

import re
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from game_kafka.settings import KafkaSettings
from lake import settings as job_settings
from testbed.clients.topic import configuration
from testbed.cluster import images
from testbed.settings import Ports
from testbed.settings import Settings as LocalSettings
from testbed.stack import hdfs_client
from testbed.versions import versions

from tests.charts.rendering import (
    CHARTS,
    NAMESPACE,
    ROOT,
    Charts,
    Object,
    application,
    containers,
    environment,
    jobs,
    of,
    pods,
    values,
)
from tests.charts.variants import VARIANTS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_topic_is_the_same_everywhere(charts: Charts) -> None:
    """The stack on one machine creates the topic that charts/kafka describes."""
    [topic] = of(charts.render("kafka"), "KafkaTopic")
    local = LocalSettings.from_environment({})
    assert topic["metadata"]["name"] == values("kafka")["global"]["kafka"]["topic"] == local.topic
    assert topic["spec"]["partitions"] == local.partitions
    config = {name: str(value) for name, value in topic["spec"]["config"].items()}
    assert config.items() >= configuration(local).items()


def test_shared_values_have_one_default() -> None:
    """A value under `global` has the same default in every chart that reads it."""
    found: dict[str, set[str]] = {}
    for chart in CHARTS:
        for name, value in _leaves(values(chart).get("global", {})):
            found.setdefault(name, set()).add(repr(value))
    assert {name: values for name, values in found.items() if len(values) > 1} == {}


def _leaves(thing: Object, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in thing.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def test_addresses_belong_to_services_of_the_charts(charts: Charts) -> None:
    """Each shared address is the name and port of a Service that the charts create."""
    objects = charts.render("gamelake")
    services = {
        one["metadata"]["name"]: {port["port"] for port in one["spec"]["ports"]} for one in of(objects, "Service")
    }
    [kafka] = of(objects, "Kafka")
    services[f"{kafka['metadata']['name']}-kafka-bootstrap"] = {
        one["port"] for one in kafka["spec"]["kafka"]["listeners"]
    }
    shared = values("spark")["global"]
    assert int(shared["trino"]["port"]) in services[shared["trino"]["host"]]
    for address in (shared["kafka"]["bootstrapServers"], shared["metastore"]["uri"]):
        host, port = address.split("//")[-1].split(":")
        assert int(port) in services[host]
    client = _properties(of(objects, "ConfigMap", "hdfs-client")[0]["data"]["hdfs-site.xml"])
    for name in ("rpc", "http"):
        host, port = client[f"dfs.namenode.{name}-address.lake"].split(":")
        pod, service = host.removesuffix(".game.svc.cluster.local").split(".")
        [server] = [one for one in of(objects, "StatefulSet", "namenode") if one["spec"]["serviceName"] == service]
        assert pod == f"{server['metadata']['name']}-0"
        assert int(port) in services[service]


def test_clients_find_hdfs_in_the_same_way_everywhere(charts: Charts, tmp_path: Path) -> None:
    """The chart's ConfigMap and the folder of the stack differ in the NameNodes' hosts alone, with one and with two."""
    hosts = [f"namenode-{number}.namenode.game.svc.cluster.local" for number in range(2)]
    for number in (1, 2):
        chosen = {"global": {"hdfs": {"namenodes": number}}}
        [config] = of(charts.render("hdfs", values=chosen), "ConfigMap", "hdfs-client")
        ports = Ports.namenode, Ports.namenode_http, Ports.zkfc_0
        hdfs_client.write(tmp_path, *(hdfs_client.NameNode(host, *ports) for host in hosts[:number]))
        assert config["data"].keys() == {path.name for path in tmp_path.iterdir()}
        for name, text in config["data"].items():
            assert _properties(text) == _properties((tmp_path / name).read_text()), name
    assert _properties(config["data"]["core-site.xml"])["fs.defaultFS"] == job_settings.FILE_SYSTEM


def test_every_client_of_hdfs_has_the_configuration(charts: Charts) -> None:
    """NameNode, DataNodes, metastore, Trino and the jobs mount the same ConfigMap where they look for it."""
    [config] = of(charts.render("hdfs"), "ConfigMap", "hdfs-client")
    name = config["metadata"]["name"]
    clients = {
        where.split()[1]: [
            mount["mountPath"]
            for volume in pod["spec"].get("volumes", ())
            if volume.get("configMap") == {"name": name}
            for container in pod["spec"]["containers"]
            for mount in container["volumeMounts"]
            if mount["name"] == volume["name"]
        ]
        for where, pod in pods(charts.render("gamelake", "values-ha.yaml"))
    }
    found = {client: paths for client, paths in clients.items() if paths}
    servers = {"journalnode", "datanode", "hive-metastore", "trino", "trino-worker", "hdfs-test", "backup"}
    folder = "/etc/hadoop/hdfs-client"
    # A NameNode's pod has its failover controller, too.
    assert found == {**{server: [folder] for server in servers}, "namenode": [folder, folder]}
    for image in ("hdfs", "hive-metastore", "trino"):
        assert "HADOOP_CONF_DIR=/etc/hadoop/hdfs-client" in (ROOT / f"images/{image}/Dockerfile").read_text()
    assert {application(job)["hadoopConfigMap"] for job in jobs().values()} == {name}


def test_the_names_of_journalnodes_need_no_pods(charts: Charts) -> None:
    """Each is the name of a Service with an address: no NameNode starts or takes over where one does not resolve."""
    objects = charts.render("gamelake", "values-ha.yaml")
    [namenode] = of(objects, "StatefulSet", "namenode")
    given = environment(objects, namenode["spec"]["template"]["spec"]["containers"][0])["HDFS_JOURNALNODES"]
    names = [f"journalnode-{number}" for number in range(3)]
    assert given.split(";") == [f"{name}.{NAMESPACE}.svc.cluster.local:8485" for name in names]
    for name in names:
        [service] = of(objects, "Service", name)
        assert "clusterIP" not in service["spec"]
        assert service["spec"]["selector"]["statefulset.kubernetes.io/pod-name"] == name


def test_every_client_of_kafka_trusts_its_authority(charts: Charts) -> None:
    """With TLS, which is all that values-ha.yaml has, API, world, Trino, jobs and tests mount Strimzi's certificate."""
    objects = charts.render("gamelake", "values-ha.yaml")
    [kafka] = of(objects, "Kafka")
    assert [(one["port"], one["tls"]) for one in kafka["spec"]["kafka"]["listeners"]] == [(9093, True)]
    authority = f"{kafka['metadata']['name']}-cluster-ca-cert"
    clients = {where: (pod["spec"], containers(pod)[-1]) for where, pod in pods(objects)}
    for name, job in jobs().items():
        one = application(job)
        clients |= {f"{name} {part}": ({"volumes": one["volumes"]}, one[part]) for part in ("driver", "executor")}
    trusting = {
        where
        for where, (pod, container) in clients.items()
        for volume in pod.get("volumes", ())
        if volume.get("secret", {}).get("secretName") == authority
        and {"name": volume["name"], "mountPath": "/kafka"} in container["volumeMounts"]
    }
    told = {
        where
        for where, (_, container) in clients.items()
        if environment(objects, container).get("KAFKA_SSL_CA_LOCATION") == "/kafka/ca.crt"
    }
    servers = {f"Deployment {name}" for name in ("api", "world", "trino", "trino-worker")}
    assert trusting == servers | {"Pod kafka-test", "Pod spark-test"} | {
        f"{name} {part}" for name in jobs() for part in ("driver", "executor")
    }
    # Executors have their drivers' settings, and the chart's own test has none.
    assert told == servers | {"Pod spark-test"} | {f"{name} driver" for name in jobs()}
    [of_jobs] = of(objects, "ConfigMap", "gamelake-jobs")
    source = job_settings.Settings.from_environment({**of_jobs["data"], "KAFKA_SASL_PASSWORD": "p"}).kafka_source()
    assert source["kafka.security.protocol"] == "SASL_SSL"
    assert source["kafka.ssl.truststore.location"] == "/kafka/ca.crt"


def _ports(objects: list[Object]) -> Iterator[tuple[str, str, Object]]:
    """Component, container and port of every port that a pod listens on."""
    for where, pod in pods(objects):
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", []):
                yield where.split()[1], container["name"], port


def test_ports_are_those_of_the_stack(charts: Charts) -> None:
    """A server listens on the same port in its pod as in the stack on one machine."""
    listening = {f"{part} {port['name']}": port["containerPort"] for part, _, port in _ports(charts.render("gamelake"))}
    listening["spark metrics"] = application(jobs()["stream"])["driver"]["ports"][0]["containerPort"]
    local = Ports()
    assert listening == {
        "api http": local.api,
        "api admin": local.api_admin,
        "world metrics": local.world_metrics,
        "namenode rpc": local.namenode,
        "namenode http": local.namenode_http,
        "secondarynamenode http": local.secondarynamenode_http,
        "datanode data": local.datanode,
        "datanode http": local.datanode_http,
        "datanode ipc": local.datanode_ipc,
        "hive-metastore thrift": local.metastore,
        "hive-metastore-postgresql postgresql": 5432,
        "world-store valkey": local.store,
        "trino http": local.trino,
        "trino https": local.trino_https,
        "trino-worker http": local.trino,
        "spark metrics": local.stream_metrics,
    }
    assert values("kafka")["listeners"]["plain"] == local.kafka
    assert values("spark")["stream"]["metricsPort"] == local.stream_metrics


def test_ports_of_failover_are_those_of_the_stack(charts: Charts) -> None:
    """The same holds for the servers of two NameNodes: the first of each has the same ports."""
    listening = {
        f"{container} {port['name']}": port["containerPort"]
        for part, container, port in _ports(charts.render("gamelake", "values-ha.yaml"))
        if part in ("namenode", "journalnode", "zookeeper")
    }
    local = Ports()
    assert listening == {
        "namenode rpc": local.namenode,
        "namenode http": local.namenode_http,
        "zkfc zkfc": local.zkfc_0,
        "journalnode rpc": local.journalnode_0,
        "journalnode http": local.journalnode_0_http,
        "zookeeper client": local.zookeeper,
        "zookeeper peer": 2888,
        "zookeeper election": 3888,
    }


def test_versions_are_the_projects() -> None:
    """Charts, images and jobs have the project's version, Kafka and Spark the versions of hack/versions.env."""
    for chart in CHARTS:
        about = yaml.safe_load((ROOT / "charts" / chart / "Chart.yaml").read_text())
        assert about["appVersion"] == PROJECT["version"], chart
    assert values("kafka")["version"] == versions()["KAFKA_VERSION"]
    assert values("kafka")["metadataVersion"].startswith(versions()["KAFKA_VERSION"].rpartition(".")[0])
    for job in jobs().values():
        assert application(job)["image"] == images.tag("spark")
        assert application(job)["sparkVersion"] == versions()["SPARK_VERSION"]


def test_mounts_match_the_images(charts: Charts) -> None:
    """Configuration files are mounted into folders of the image."""
    files = [
        mount["mountPath"]
        for _, pod in pods(charts.render("gamelake", values=VARIANTS["catalogs"][1]))
        for container in pod["spec"]["containers"]
        for mount in container.get("volumeMounts", [])
        if mount["mountPath"].startswith("/opt/gamelake/")
    ]
    assert files
    for file in files:
        assert (ROOT / Path(file).relative_to("/opt/gamelake")).parent.is_dir(), file


def test_hdfs_has_all_properties_of_the_image(charts: Charts) -> None:
    """The chart's hdfs-site.xml, which replaces the image's, has all of its properties."""
    [config] = of(charts.render("hdfs"), "ConfigMap", "hdfs")
    of_image = _properties((ROOT / "images/hdfs/conf/hdfs-site.xml").read_text())
    assert of_image.keys() <= _properties(config["data"]["hdfs-site.xml"]).keys()


def _properties(text: str) -> dict[str, str]:
    root = ElementTree.fromstring(text)  # noqa: S314 files of this repository
    return {one.findtext("name", ""): one.findtext("value", "") for one in root.iter("property")}


def test_the_reader_may_use_the_groups_that_the_jobs_use(charts: Charts) -> None:
    """The name of every consumer group of the jobs begins with the prefix for which the reader has rights."""
    [user] = of(charts.render("kafka"), "KafkaUser", "spark")
    [prefix] = [acl["resource"] for acl in user["spec"]["authorization"]["acls"] if acl["resource"]["type"] == "group"]
    assert prefix == {"type": "group", "name": job_settings.GROUPS, "patternType": "prefix"}
    settings = job_settings.Settings(KafkaSettings("kafka:9092", "events"), "thrift://m:1", "trino", 1)
    assert settings.kafka_source()["kafka.group.id"].startswith(prefix["name"])
    texts = [path.read_text() for path in (ROOT / "spark-apps").rglob("*.py")]
    groups = [group for text in texts for group in re.findall(r'TopicReader\([^,]+, (f?".+?")', text)]
    assert 'f"{GROUPS}offsets"' in groups
    assert [group for group in groups if not group.startswith('f"{GROUPS}')] == []


def test_every_image_is_built() -> None:
    """Each image in charts and jobs has a folder with a Dockerfile."""
    named = set()
    for chart in CHARTS:
        named |= set(re.findall(r"gamelake/[\w-]+", (ROOT / "charts" / chart / "values.yaml").read_text()))
    named |= {application(job)["image"].removeprefix("localhost/").partition(":")[0] for job in jobs().values()}
    for image in named:
        assert (ROOT / "images" / image.removeprefix("gamelake/") / "Dockerfile").exists(), image


def test_no_image_is_pulled_from_a_registry_that_nobody_named(charts: Charts) -> None:
    """Without global.imageRegistry images are those that `make kind` loads; no public registry has their names."""
    objects = charts.render("gamelake", values=VARIANTS["jobs"][1])
    named = {container["image"] for _, pod in pods(objects) for container in containers(pod)}
    # Strimzi's operator chooses the brokers'.
    assert named == set(images.tags()) - {images.tag("kafka")}
    assert {application(job)["image"] for job in jobs().values()} == {images.tag("spark")}
    elsewhere = {"global": {"imageRegistry": "registry.example/team/", "imageTag": "0.1.0-abc"}}
    objects = charts.render("gamelake", values=elsewhere | {"api": {"image": {"tag": "own"}}})
    named = {container["image"] for _, pod in pods(objects) for container in containers(pod)}
    assert {"registry.example/team/gamelake/trino:0.1.0-abc", "registry.example/team/gamelake/api:own"} <= named
    assert {name.partition("/")[0] for name in named} == {"registry.example"}
