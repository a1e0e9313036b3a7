"""Programs are given the settings that they read, by their names, and no others."""

import re
from collections.abc import Iterator, Mapping

import game_api.settings
import game_world.settings
import pytest
from lake import settings as job_settings

from tests.charts.rendering import ROOT, Charts, application, environment, jobs, of, pods
from tests.charts.variants import VARIANTS


class Asked(Mapping[str, str]):
    """An environment that notes which names are asked for, and has a value for each."""

    def __init__(self, **present: str) -> None:
        self.names: set[str] = set()
        self._present = present

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._present.get(name, "9000")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


VALID = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "INFO",
    "API_PLAYERS": "open",
    "API_TOKEN_DAYS": "365",
    "TRINO_URL": "https://trino:8443",
}
"""The settings that do not accept any text."""

PASSWORD = {"KAFKA_SASL_PASSWORD": "swordfish"}
"""What a Secret adds to a ConfigMap."""


@pytest.mark.parametrize("program", ["api", "world"])
@pytest.mark.parametrize("variant", ["default", "elsewhere", "plain"])
def test_api_and_world_are_given_the_names_they_read(charts: Charts, variant: str, program: str) -> None:
    """The chart sets no name that neither reads, and leaves out those of a security that is not used."""
    asked = Asked(**VALID)
    game_api.settings.Settings.from_environment(asked)
    game_world.settings.Settings.from_environment(asked)
    objects = charts.render("gamelake", values=VARIANTS[variant][1])
    [deployment] = of(objects, "Deployment", program)
    given = environment(objects, deployment["spec"]["template"]["spec"]["containers"][0])
    server = (ROOT / "api/gunicorn.conf.py").read_text()
    assert {name for name in given.keys() - asked.names if f'"{name}"' not in server} == set()
    unused = {
        "default": {"KAFKA_SSL_CA_LOCATION"},
        "elsewhere": set(),
        "plain": {"KAFKA_SSL_CA_LOCATION", "KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"},
    }
    of_world = {
        "WORLD_STAMINA_SECONDS",
        "WORLD_METRICS_HOST",
        "WORLD_METRICS_PORT",
        "WORLD_SNAPSHOTS",
        "WORLD_SNAPSHOT_SECONDS",
    }
    only_world = of_world if program == "api" else set()
    assert asked.names - given.keys() == unused[variant] | only_world
    if variant == "elsewhere":
        kept = {"api": "secret kafka/password", "world": "secret kafka-reader/password"}
        assert given["KAFKA_SASL_PASSWORD"] == kept[program]
        assert given["KAFKA_SASL_USERNAME"] == {"api": "api", "world": "reader"}[program]
        assert given["WORLD_URL"] == "secret redis/url"
        assert given["KAFKA_SSL_CA_LOCATION"] == "/kafka/ca.crt"


def test_the_world_may_be_left_out(charts: Charts) -> None:
    """Without a world the API has no WORLD_URL, without Trino no TRINO_URL, and the chart no objects of the world."""
    objects = charts.render("gamelake", values=VARIANTS["worldless"][1])
    [deployment] = of(objects, "Deployment", "api")
    given = environment(objects, deployment["spec"]["template"]["spec"]["containers"][0])
    told = game_api.settings.Settings.from_environment(given)
    assert (told.world_url, told.trino.url) == ("", "")
    own = [one for one in objects if one["kind"] != "KafkaUser" and one["metadata"]["name"].startswith("world")]
    assert own == []


@pytest.mark.parametrize(
    ("world", "dashboard", "url"),
    [
        ({}, {"trinoUrl": ""}, "https://trino:8443"),
        ({"trinoUrl": ""}, {}, ""),
        ({"trinoUrl": "https://{{ .Values.global.trino.host }}"}, {}, "https://trino"),
    ],
)
def test_the_world_has_an_address_of_trino_of_its_own(
    charts: Charts, world: dict[str, str], dashboard: dict[str, str], url: str
) -> None:
    """Whatever the dashboard's is; without one no policy lets the world out to Trino."""
    objects = charts.render("api", values={"world": world, "dashboard": dashboard})
    [deployment] = of(objects, "Deployment", "world")
    given = environment(objects, deployment["spec"]["template"]["spec"]["containers"][0])
    assert game_world.settings.Settings.from_environment({**given, **PASSWORD}).trino.url == url
    [policy] = of(objects, "NetworkPolicy", "world")
    assert ("8443" in str(policy["spec"]["egress"])) == bool(url)


@pytest.mark.parametrize(
    ("snapshots", "volume", "claims"),
    [
        ({}, {"persistentVolumeClaim": {"claimName": "world-snapshots"}}, ["world-snapshots"]),
        ({"existingClaim": "mine"}, {"persistentVolumeClaim": {"claimName": "mine"}}, []),
        ({"persistent": False, "storage": {"size": "2Gi"}}, {"emptyDir": {"sizeLimit": "2Gi"}}, []),
        ({"enabled": False}, None, []),
    ],
)
def test_the_worlds_snapshots_are_on_a_volume(
    charts: Charts, snapshots: dict[str, object], volume: object, claims: list[str]
) -> None:
    """WORLD_SNAPSHOTS is the folder of a volume that outlives the release, unless the values want another one."""
    objects = charts.render("api", values={"world": {"snapshots": snapshots}})
    [deployment] = of(objects, "Deployment", "world")
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    folder = environment(objects, container).get("WORLD_SNAPSHOTS")
    mounted = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {one.pop("name"): one for one in map(dict, pod["volumes"])}
    assert (volumes[mounted[folder]] if folder else volumes.get("snapshots")) == volume
    made = of(objects, "PersistentVolumeClaim")
    assert [one["metadata"]["name"] for one in made] == claims
    assert all(one["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for one in made)


def test_the_jobs_may_read_the_topics_retention(charts: Charts) -> None:
    """An erasure says until when Kafka keeps records; the jobs' user still may not write or change anything."""
    [user] = of(charts.render("gamelake"), "KafkaUser", "spark")
    [topic] = [acl for acl in user["spec"]["authorization"]["acls"] if acl["resource"]["type"] == "topic"]
    assert topic["operations"] == ["Read", "Describe", "DescribeConfigs"]


def test_the_world_reads_as_its_own_user(charts: Charts) -> None:
    """The user of the projection may read and describe the topic and read in its one group, and write nothing."""
    objects = charts.render("gamelake")
    [deployment] = of(objects, "Deployment", "world")
    given = environment(objects, deployment["spec"]["template"]["spec"]["containers"][0])
    [user] = of(objects, "KafkaUser", given["KAFKA_SASL_USERNAME"])
    assert given["KAFKA_SASL_PASSWORD"] == f"secret {user['metadata']['name']}/password"
    assert user["spec"]["authorization"]["acls"] == [
        {
            "resource": {"type": "topic", "name": given["KAFKA_TOPIC"], "patternType": "literal"},
            "operations": ["Read", "Describe"],
        },
        {
            "resource": {"type": "group", "name": game_world.settings.GROUP, "patternType": "literal"},
            "operations": ["Read"],
        },
    ]


@pytest.mark.parametrize("job", jobs())
def test_a_job_is_given_the_names_it_reads(charts: Charts, job: str) -> None:
    """The driver has every name that spark-apps/lake/settings.py reads, and no other, from what the charts make."""
    asked = Asked(**VALID)
    job_settings.Settings.from_environment(asked)
    objects = charts.render("gamelake")
    given = environment(objects, application(jobs()[job])["driver"])
    # Only what creates the views logs in to Trino.
    unused = {"KAFKA_SSL_CA_LOCATION"} | ({"TRINO_PASSWORD"} if job != "tables" else set())
    assert given.keys() == asked.names - unused
    [user] = of(objects, "KafkaUser", given["KAFKA_SASL_USERNAME"])
    # Strimzi makes a Secret of the user's name.
    assert given["KAFKA_SASL_PASSWORD"] == f"secret {user['metadata']['name']}/password"
    job_settings.Settings.from_environment(given)


def test_the_charts_ask_for_what_the_code_does_by_default(charts: Charts) -> None:
    """A setting that a chart has a value for is by default what the code would take without it."""
    objects = charts.render("gamelake")
    [of_api] = of(objects, "ConfigMap", "api")
    told = game_api.settings.Settings.from_environment({**of_api["data"], **PASSWORD})
    [world] = of(objects, "Deployment", "world")
    given = environment(objects, world["spec"]["template"]["spec"]["containers"][0])
    assert int(given["WORLD_SNAPSHOT_SECONDS"]) == game_world.settings.SNAPSHOT_SECONDS
    default = game_api.settings.Settings()
    for name in ("workers", "threads", "keepalive_seconds", "access_log", "producer", "log"):
        assert getattr(told, name) == getattr(default, name), name
    for name in ("header_timeout_seconds", "body_timeout_seconds", "cors_origins", "most_requests", "most_body_kbytes"):
        assert getattr(told, name) == getattr(default, name), name
    for name in ("player_rate", "player_burst", "address_rate", "address_burst", "trusted_proxies"):
        assert getattr(told, name) == getattr(default, name), name
    [of_jobs] = of(objects, "ConfigMap", "gamelake-jobs")
    jobs_told = job_settings.Settings.from_environment({**of_jobs["data"], **PASSWORD})
    for name in ("trigger_seconds", "max_offsets_per_trigger", "metrics_port", "snapshot_hours"):
        assert getattr(jobs_told, name) == getattr(job_settings.Settings, name), name
    assert jobs_told.log == default.log


@pytest.mark.parametrize("server", ["hdfs", "hive-metastore", "trino", "postgres", "valkey"])
def test_servers_are_given_the_names_they_read(charts: Charts, server: str) -> None:
    """A container's environment has what images/<name>/run demands, and nothing that neither it nor its files read."""
    folder = ROOT / "images" / server
    run = (folder / "run").read_text()
    texts = [path.read_text() for path in folder.rglob("*") if path.is_file() and path.name != "Dockerfile"]
    dockerfiles = [(parent / "Dockerfile").read_text() for parent in (folder, ROOT / "images/base")]
    in_image = {name for text in dockerfiles for name in re.findall(r"\b([A-Z_]+)=", text)}
    demanded = set(re.findall(r"\$\{([A-Z_]+):\?", run))
    objects = charts.render("gamelake", "values-ha.yaml")
    every = ((where, container) for where, pod in pods(objects) for container in pod["spec"]["containers"])
    for where, container in every:
        if where.startswith(("Pod", "CronJob")) or f"gamelake/{server}:" not in container["image"]:
            continue
        given = environment(objects, container).keys()
        with_login = set() if "TRINO_LOGIN" in given else {"TRINO_TLS", "TRINO_HTTPS_PORT"}
        assert demanded - given - in_image - {"METASTORE_DATA", "POSTGRES_PASSWORD_FILE"} - with_login == set(), where
        unread = {name for name in given - {"POD_NAME", "POD_INDEX"} if not any(name in text for text in texts)}
        assert unread == set(), where


@pytest.mark.parametrize("timeout", [1000, 3000, 9999])
def test_a_pod_of_the_api_has_time_to_drain(charts: Charts, timeout: int) -> None:
    """It is killed only after the Service's delay, gunicorn's graceful timeout and the last flush to Kafka."""
    objects = charts.render("api", values={"kafka": {"deliveryTimeoutMs": timeout}})
    [deployment], [config] = of(objects, "Deployment", "api"), of(objects, "ConfigMap", "api")
    told = game_api.settings.Settings.from_environment({**config["data"], **PASSWORD})
    line = re.search(r"^graceful_timeout = (.+)$", (ROOT / "api/gunicorn.conf.py").read_text(), re.MULTILINE)
    assert line
    graceful = eval(line[1], {"_settings": told, "round": round})  # noqa: S307 the line is ours
    spec = deployment["spec"]["template"]["spec"]
    delay = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] > delay + graceful + told.producer.answer_timeout
