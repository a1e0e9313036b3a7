"""Every pod meets the `restricted` pod security profile and cannot change its own files; no secret is in plain text."""

import re
from collections.abc import Iterator

import pytest
from redis import Redis, SSLConnection

from tests.charts.rendering import (
    CHARTS,
    ROOT,
    Charts,
    application,
    containers,
    environment,
    jobs,
    of,
    pods,
    values,
)
from tests.charts.variants import VARIANTS

RESTRICTED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_pod_is_restricted(charts: Charts, variant: str) -> None:
    """Pods of the charts, those of `helm test` included, run with a numeric user ID and without privileges."""
    files, chosen = VARIANTS[variant]
    for where, pod in pods(charts.render("gamelake", *files, values=chosen)):
        context = pod["spec"]["securityContext"]
        assert context["runAsNonRoot"], where
        assert context["runAsUser"] == context["runAsGroup"] == context["fsGroup"] > 0, where
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, where
        assert pod["spec"]["automountServiceAccountToken"] is False, where
        assert not pod["spec"].keys() & {"hostNetwork", "hostPID", "hostIPC"}, where
        for container in containers(pod):
            assert container["securityContext"] == RESTRICTED, where
        # Projected: a token of the cluster for one container.
        allowed = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
        for volume in pod["spec"].get("volumes", []):
            assert volume.keys() - {"name"} <= allowed, where


def test_strimzis_pods_are_restricted(charts: Charts) -> None:
    """The templates of brokers and entity operator have the same settings, and nothing replaces them."""
    rack = {"topologyKey": "topology.kubernetes.io/zone"}
    objects = charts.render("kafka", values={"controllers": {"replicas": 3}, "rack": rack})
    [kafka], pools = of(objects, "Kafka"), of(objects, "KafkaNodePool")
    # Strimzi uses a pool's template instead of the cluster's, and does not merge them.
    assert kafka["spec"]["kafka"]["template"].keys() == {"podDisruptionBudget"}
    nodes = [pool["spec"]["template"] for pool in pools]
    assert len(nodes) == 2
    operator = kafka["spec"]["entityOperator"]["template"]
    for template in (*(node["pod"] for node in nodes), operator["pod"]):
        assert template["securityContext"]["runAsNonRoot"]
        assert template["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (
        *(node["kafkaContainer"] for node in nodes),
        # It finds out the rack.
        *(node["initContainer"] for node in nodes),
        operator["topicOperatorContainer"],
        operator["userOperatorContainer"],
    ):
        assert container["securityContext"] == RESTRICTED


@pytest.mark.parametrize("job", jobs())
@pytest.mark.parametrize("role", ["driver", "executor"])
def test_drivers_and_executors_are_restricted(job: str, role: str) -> None:
    """The jobs' manifests have the same settings, and a folder to write to."""
    spec = application(jobs()[job])
    assert spec[role]["securityContext"] == RESTRICTED
    assert spec[role]["podSecurityContext"]["runAsNonRoot"]
    assert spec[role]["podSecurityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    own = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 the pod's own folder
    # Only what creates the views is a client of Trino.
    trino = [{"name": "trino-ca", "mountPath": "/trino"}] if (job, role) == ("tables", "driver") else []
    assert spec[role]["volumeMounts"] == [own, {"name": "ca", "mountPath": "/kafka"}, *trino]
    assert ("TRINO_PASSWORD" in str(spec[role].get("env"))) == bool(trino)
    folder, authority, *_ = spec["volumes"]
    assert folder == {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}
    assert authority["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]


def test_the_apis_metrics_have_a_volume_of_their_own(charts: Charts) -> None:
    """The workers' metrics are in a volume of their own, not in the pod's /tmp."""
    [pod] = [pod for where, pod in pods(charts.render("gamelake")) if where == "Deployment api"]
    [container] = pod["spec"]["containers"]
    folder = environment(charts.render("gamelake"), container)["PROMETHEUS_MULTIPROC_DIR"]
    [volume] = [one["name"] for one in container["volumeMounts"] if one["mountPath"] == folder]
    assert volume != "tmp"
    assert {"name": volume, "emptyDir": {"sizeLimit": "256Mi"}} in pod["spec"]["volumes"]


def test_user_ids_match_the_images(charts: Charts) -> None:
    """A pod runs as the user of its image, which owns the files and whose name Hadoop looks up."""
    contexts = [
        (container["image"], pod["spec"]["securityContext"]["runAsUser"])
        for _, pod in pods(charts.render("gamelake"))
        for container in pod["spec"]["containers"]
    ]
    contexts += [
        (application(job)["image"], application(job)[role]["podSecurityContext"]["runAsUser"])
        for job in jobs().values()
        for role in ("driver", "executor")
    ]
    for image, user in contexts:
        name = re.fullmatch(r"localhost/gamelake/([\w-]+):[\w.]+", image)
        assert name, image
        dockerfile = (ROOT / "images" / name[1] / "Dockerfile").read_text()
        assert re.findall(r"^USER (\d+)", dockerfile, re.MULTILINE)[-1] == str(user), image


def _strings(thing: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(thing, dict):
        for name, one in thing.items():
            yield from _strings(one, f"{path}.{name}")
    elif isinstance(thing, str):
        yield path, thing


@pytest.mark.parametrize("chart", CHARTS)
def test_no_secret_is_in_values(chart: str) -> None:
    """No value is a password: passwords are generated in the cluster or are in a Secret that a value names."""
    named = [
        path for path, _ in _strings(values(chart)) if re.search(r"password|token|credential", path, re.IGNORECASE)
    ]
    assert named == []


def test_webhdfs_accepts_no_user(charts: Charts) -> None:
    """No name in an address matches the pattern, and what a browser sends without asking is refused."""
    properties = hdfs_properties(charts)
    assert not re.fullmatch(properties["dfs.webhdfs.user.provider.user.pattern"], "hdfs")
    assert properties["dfs.webhdfs.rest-csrf.enabled"] == "true"


def test_hdfs_has_users_and_permissions(charts: Charts) -> None:
    """Each client's image names its user; HDFS checks permissions, and looks no user up in the NameNode's system."""
    properties = hdfs_properties(charts)
    assert properties["dfs.permissions.enabled"] == "true"
    known = {one.rstrip("=") for one in properties["hadoop.user.group.static.mapping.overrides"].rstrip(";").split(";")}
    users = {
        name: re.findall(r"HADOOP_USER_NAME=(\w+)", (ROOT / "images" / name / "Dockerfile").read_text())
        for name in ("hdfs", "hive-metastore", "spark", "trino")
    }
    assert users == {"hdfs": ["hdfs"], "hive-metastore": ["gamelake"], "spark": ["gamelake"], "trino": ["trino"]}
    assert known == {"hdfs", "gamelake", "trino", "dr.who"}


def test_blocks_need_a_token(charts: Charts) -> None:
    """DataNodes ask for the NameNode's token, with which they also encrypt, by AES, if the values say so."""
    assert hdfs_properties(charts)["dfs.block.access.token.enable"] == "true"
    encrypted = {"dfs.encrypt.data.transfer": True}
    assert hdfs_properties(charts, config=encrypted)["dfs.encrypt.data.transfer"] == "true"
    client = hdfs_properties(charts, "hdfs-client", config=encrypted)
    assert client["dfs.encrypt.data.transfer.cipher.suites"] == "AES/CTR/NoPadding"


def test_stores_have_tls(charts: Charts) -> None:
    """With certificates store and PostgreSQL accept TLS alone; clients have their authority, and verify names."""
    objects = charts.render("gamelake", values=VARIANTS["encrypted"][1])
    found = dict(pods(objects))
    for store, secret in (
        ("world-store", "store-certificate"),
        ("hive-metastore-postgresql", "postgresql-certificate"),
    ):
        [volume] = [one for one in found[f"StatefulSet {store}"]["spec"]["volumes"] if one["name"] == "tls"]
        assert volume["secret"]["secretName"] == secret
        server = found[f"StatefulSet {store}"]["spec"]["containers"][0]
        given = {environment(objects, server).get(name) for name in ("STORE_TLS", "POSTGRES_TLS")} - {None}
        assert given == {one["mountPath"] for one in server["volumeMounts"] if one["name"] == "tls"}
        clients = {
            where.split()[1]
            for where, pod in found.items()
            for one in pod["spec"].get("volumes", [])
            if one.get("secret") == {"secretName": secret, "items": [{"key": "ca.crt", "path": "ca.crt"}]}
        }
        assert clients == ({"api", "world", "world-test"} if store == "world-store" else {"hive-metastore", "backup"})
    exporter = found["StatefulSet world-store"]["spec"]["containers"][1]
    assert environment(objects, exporter)["REDIS_ADDR"].startswith("rediss://")
    for name in ("Deployment api", "Deployment world", "Pod world-test"):
        [container] = found[name]["spec"]["containers"]
        url = environment(objects, container)["WORLD_URL"]
        client = Redis.from_url(url.replace("secret world-store/password", "drawn"))
        assert client.connection_pool.connection_class is SSLConnection
        kwargs = client.connection_pool.connection_kwargs
        [mount] = [one for one in container["volumeMounts"] if one["name"] == "store-ca"]
        assert (kwargs["host"], kwargs["ssl_ca_certs"]) == ("world-store", f"{mount['mountPath']}/ca.crt")
    [metastore] = found["Deployment hive-metastore"]["spec"]["containers"]
    database = environment(objects, metastore)["METASTORE_DB_URL"]
    assert database.endswith("?sslmode=verify-full&sslrootcert=/postgresql/ca.crt")
    assert {"name": "postgresql-ca", "mountPath": "/postgresql"} in metastore["volumeMounts"]
    [dump] = found["CronJob backup"]["spec"]["initContainers"]
    given = environment(objects, dump)
    assert (given["PGSSLMODE"], given["PGSSLROOTCERT"]) == ("verify-full", "/postgresql/ca.crt")
    assert {"name": "postgresql-ca", "mountPath": "/postgresql"} in dump["volumeMounts"]


def hdfs_properties(charts: Charts, name: str = "hdfs", **values: object) -> dict[str, str]:
    """Return what a ConfigMap says to HDFS."""
    [config] = of(charts.render("hdfs", values=values), "ConfigMap", name)
    return dict(re.findall(r"<name>(.*?)</name><value>(.*?)</value>", config["data"]["hdfs-site.xml"]))
