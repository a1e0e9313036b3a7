"""Each image runs as in a restricted pod, and stops on request."""

import json
import re
import subprocess
from pathlib import Path
from shlex import quote

import pytest
from game_trino.login import certificate
from testbed.cluster import images
from testbed.settings import ROOT

from tests.images.conftest import DATABASE, STORE_PASSWORD
from tests.images.container import Container, configuration, run

IMAGES = sorted({path.parent.name for path in ROOT.glob("images/*/Dockerfile")} - {"base"})
# The package that each image exists to run.
MAIN_PACKAGE = {
    "api": "gunicorn",
    "hdfs": "hadoop-hdfs",
    "hive-metastore": "hive-standalone-metastore-server",
    "kafka": "kafka_2.13",
    "postgres": "postgresql-17",
    "spark": "pyspark",
    "trino": "trino-main",
    "valkey": "valkey-server",
}
BUILD_TOOLS = "cc gcc g++ clang make javac mvn pip pip3 git perldoc syft"


def has_engine() -> bool:
    try:
        return subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = [
    pytest.mark.skipif(not has_engine(), reason="no container engine answers (docker info)"),
    pytest.mark.usefixtures("built"),
    pytest.mark.timeout(3600),  # the first test builds the images
]


@pytest.mark.parametrize("name", IMAGES)
def test_user_and_labels(name: str) -> None:
    """An image has a numeric user, and labels with its name, version, commit and license."""
    config = configuration(images.tag(name))
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", config["User"])
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in config["Labels"].items()}
    expected = (f"gamelake/{name}", images.version(), "Apache-2.0")
    assert (labels["title"], labels["version"], labels["licenses"]) == expected
    assert labels["description"]
    assert re.fullmatch(r"[0-9a-f]{40}|unknown", labels["revision"])


@pytest.mark.parametrize("name", IMAGES)
def test_sbom(name: str) -> None:
    """The SBOM in an image lists Debian's packages and the one that the image exists to run."""
    packages = json.loads(run(images.tag(name), f"/usr/share/sbom/{name}.cdx.json", entrypoint="cat"))["components"]
    assert {"libc6", "tini", MAIN_PACKAGE[name]} <= {package["name"] for package in packages}


@pytest.mark.parametrize("name", IMAGES)
def test_no_build_tools(name: str) -> None:
    """An image contains no compiler, no package manager of a language, and no file that its user can write to."""
    found = f"for tool in {BUILD_TOOLS}; do command -v $tool; done; find /opt /usr -writable ! -type l; true"
    assert run(images.tag(name), "-c", found, entrypoint="bash") == ""


def test_kafka_and_the_api(servers: dict[str, Container]) -> None:
    """The broker creates a topic, and the API answers once the broker has acknowledged the event."""
    kafka, api = servers["kafka"], servers["api"]
    create = (
        '"$JAVA_HOME/bin/java" -cp "$KAFKA_HOME/jars/*" org.apache.kafka.tools.TopicCommand '
        "--bootstrap-server kafka:9092 --create --if-not-exists --topic events"
    )
    kafka.wait("creates a topic", lambda: kafka.shell(create).returncode == 0)
    ask = "import sys, urllib.request as r; print(r.urlopen('http://127.0.0.1:' + sys.argv[1]).read().decode())"
    api.wait("is alive", lambda: api.execute("python3", "-c", ask, "5000/healthz").returncode == 0)
    api.wait("is ready", lambda: api.execute("python3", "-c", ask, "5010/readyz").returncode == 0)
    api.wait("writes", lambda: "Sword Purchased!" in api.execute("python3", "-c", ask, "5000/purchase_a_sword").stdout)


def test_the_api_in_memory(built: None) -> None:
    """Without any other server, the API's image serves apps' tests."""
    ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:5000/purchase_a_sword').read().decode())"
    script = f"""
    /opt/gamelake/images/api/run micro >/dev/null &
    for _ in {{1..100}}; do python3 -c "{ask}" 2>/dev/null && break; sleep 0.1; done
    kill "$!" && wait "$!"
    """
    assert run(images.tag("api"), "-c", script, entrypoint="bash") == "Sword Purchased!\n"


def test_the_store(servers: dict[str, Container]) -> None:
    """A client needs the password, and the store's memory limit is the one in its environment."""
    store = servers["store"]
    asked = ("valkey-cli", "-e", "config", "get", "maxmemory")
    store.wait("answers", lambda: "NOAUTH" in store.execute(*asked).stdout)
    assert str(64 << 20) in store.execute("env", f"REDISCLI_AUTH={STORE_PASSWORD}", *asked).stdout
    assert "WRONGPASS" in store.execute("env", "REDISCLI_AUTH=no", *asked).stdout


def test_the_world(servers: dict[str, Container]) -> None:
    """A command that depends on the world succeeds once the projection has caught up, and changes the store."""
    api = servers["api"]
    act = (
        "import urllib.request as r; request = r.Request('http://127.0.0.1:5000/explore', b'', {'X-Player': 'ada'}); "
        "print(r.urlopen(request).status)"
    )
    api.wait(
        "executes a command that depends on the world", lambda: api.execute("python3", "-c", act).stdout == "200\n"
    )
    known = ("env", f"REDISCLI_AUTH={STORE_PASSWORD}", "valkey-cli", "exists", "gamelake:v3:hero:ada")
    assert servers["store"].execute(*known).stdout.split()[-1] == "1"


def test_hdfs(servers: dict[str, Container]) -> None:
    """A file that was written is read back, also by another user, who cannot remove it."""
    namenode = servers["namenode"]
    shell = "/opt/gamelake/images/hdfs/run dfs"
    put = f"{shell} -put -f /etc/debian_version /version"
    namenode.wait("stores a file", lambda: namenode.shell(put).returncode == 0)
    reading = namenode.shell(f"HDFS_OWNER=trino {shell} -cat /version").stdout
    assert reading.endswith(namenode.execute("cat", "/etc/debian_version").stdout)
    removing = namenode.shell(f"HDFS_OWNER=trino {shell} -rm -skipTrash /version")
    assert "Permission denied: user=trino" in removing.stdout


def test_hdfs_makes_checkpoints(servers: dict[str, Container]) -> None:
    """The SecondaryNameNode returns the NameNode's edits to it as a checkpoint."""
    namenode = servers["namenode"]
    later = "find /data/name/current -name 'fsimage_*[1-9]*' -not -name '*.md5' 2>/dev/null"
    namenode.wait("has a checkpoint", lambda: namenode.shell(later).stdout)


@pytest.mark.parametrize("command", ["dfsadmin -report", "fsck /", "balancer -threshold 99"])
def test_commands_of_hdfs(servers: dict[str, Container], command: str) -> None:
    """Each runs beside the server, with the image's own configuration."""
    run = f"/opt/gamelake/images/hdfs/run {command}"
    servers["namenode"].wait(f"runs {command}", lambda: servers["namenode"].shell(run).returncode == 0)


def test_postgres(servers: dict[str, Container]) -> None:
    """A login needs the password, from inside the pod too."""
    psql = ("psql", "--host=postgres", f"--username={DATABASE['USER']}", "--command=SELECT 'in'", "metastore")
    right, wrong = (
        servers["postgres"].execute("env", f"PGPASSWORD={password}", *psql) for password in (DATABASE["PASSWORD"], "no")
    )
    assert right.returncode == 0
    assert "password authentication failed" in wrong.stdout


def test_postgres_takes_a_new_password(built: None) -> None:
    """It has the password of its last start, and the old one no longer; its log has none that it refuses."""
    script = """
    start() {
      POSTGRES_PASSWORD=$1 /opt/gamelake/images/postgres/run >/dev/null 2>&1 &
      until pg_isready --quiet; do kill -0 "$!" && sleep 0.1; done
    }
    start first
    kill "$!" && wait "$!"
    start "it's a second"
    for password in first "it's a second"; do
      PGPASSWORD=$password psql --username="$POSTGRES_USER" --command='SELECT 1' metastore >/dev/null 2>&1 &&
        echo "$password: accepted"
    done
    kill "$!" && wait "$!"
    POSTGRES_USER=nobody POSTGRES_PASSWORD=third /opt/gamelake/images/postgres/run 2>&1 |
      grep --only-matching 'third\\|role "nobody" does not exist'
    POSTGRES_PASSWORD=$'fourth\\n' /opt/gamelake/images/postgres/run 2>&1 | grep --only-matching 'fourth\\|line break'
    """
    options = ("--env=POSTGRES_USER=metastore", "--env=POSTGRES_DB=metastore")
    printed = run(images.tag("postgres"), "-c", script, entrypoint="bash", options=options)
    assert printed.splitlines() == ["it's a second: accepted", 'role "nobody" does not exist', "line break"]


TLS = {
    "postgres": """
        cp /given/tls.* /tmp && chmod 600 /tmp/tls.key
        export POSTGRES_TLS=/tmp POSTGRES_USER=metastore POSTGRES_PASSWORD=secret PGPASSWORD=secret
        /opt/gamelake/images/postgres/run &
        timeout 60 sh -c 'until pg_isready --quiet; do sleep 1; done'
        login="host=stores user=metastore dbname=metastore"
        psql "$login sslmode=verify-full sslrootcert=/given/ca.crt" --command "SELECT 'en' || 'crypted'"
        psql "$login sslmode=disable" --command "SELECT 'pl' || 'ain'"
        true
    """,
    "valkey": """
        export STORE_TLS=/given STORE_PASSWORD=secret REDISCLI_AUTH=secret
        /opt/gamelake/images/valkey/run &
        client="valkey-cli -h stores --tls --cacert /given/ca.crt"
        timeout 60 sh -c "until $client -e ping; do sleep 1; done"
        $client set in encrypted
        $client get in
        timeout 5 valkey-cli -h stores set in plain && valkey-cli -h stores get in
        true
    """,
}


@pytest.mark.parametrize("name", TLS)
def test_a_store_with_tls(name: str, tmp_path: Path) -> None:
    """With a certificate it serves clients that use TLS, and no others."""
    for file, text in certificate(["stores"]).secret().items():
        (tmp_path / file).write_text(text)
        (tmp_path / file).chmod(0o644)
    tmp_path.chmod(0o755)
    options = (f"--volume={tmp_path}:/given:ro", "--hostname=stores")
    printed = run(images.tag(name), "-c", TLS[name], entrypoint="bash", options=options)
    assert "encrypted" in printed
    assert "plain" not in printed


def test_a_backup_of_the_database(servers: dict[str, Container]) -> None:
    """A dump restores what was dropped since."""
    postgres = servers["postgres"]
    login = f"env PGPASSWORD={quote(DATABASE['PASSWORD'])} PGUSER={DATABASE['USER']} PGDATABASE=metastore"

    def ask(statement: str) -> str:
        return postgres.shell(f"{login} psql --command='{statement}'").stdout

    ask("CREATE TABLE kept AS SELECT 42 AS answer")
    assert postgres.shell(f"{login} pg_dump --no-password --format=custom --file=/tmp/metastore.dump").returncode == 0
    ask("DROP TABLE kept")
    restore = f"{login} pg_restore --clean --if-exists --single-transaction --dbname=metastore /tmp/metastore.dump"
    assert postgres.shell(restore).returncode == 0
    assert "42" in ask("SELECT answer FROM kept")
    ask("DROP TABLE kept")


def test_trino_and_the_metastore(servers: dict[str, Container]) -> None:
    """A table that Trino creates is registered in PostgreSQL through the metastore, and stored on HDFS."""
    trino = servers["trino"]

    def ask(sql: str) -> str | None:
        cli = ("/opt/java/bin/java", "-jar", "/opt/gamelake/lib/trino-cli.jar", "--server=http://trino:8080")
        done = trino.execute(*cli, f"--execute={sql}")
        return done.stdout if done.returncode == 0 else None

    trino.wait("answers", lambda: ask("SELECT 1"))
    metastore = servers["metastore"]
    metastore.wait("listens", lambda: metastore.shell("exec 3<>/dev/tcp/127.0.0.1/9083").returncode == 0)
    assert ask("CREATE TABLE lake.default.answers AS SELECT 42 answer") is not None
    assert '"42"' in (ask("SELECT answer FROM lake.default.answers") or "")
    known = 'SELECT "TBL_NAME" FROM "TBLS"'
    login = ("env", f"PGPASSWORD={DATABASE['PASSWORD']}", "psql", f"--username={DATABASE['USER']}", "metastore")
    assert "answers" in servers["postgres"].execute(*login, f"--command={known}").stdout


def page(container: Container, port: int, path: str = "/metrics", host: str = "127.0.0.1") -> str:
    ask = f"printf 'GET {path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3; cat <&3"
    return container.shell(f"exec 3<>/dev/tcp/{host}/{port} && {ask}").stdout


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("trino", "trino_queries_running "),
        ("trino", 'trino_failures_total{kind="External"} '),
        ("metastore", "hive_metastore_open_connections "),
        ("metastore", 'hive_metastore_calls_total{call="'),
    ],
)
def test_an_agent_serves_metrics(servers: dict[str, Container], name: str, metric: str) -> None:
    """Trino and a metastore that are given a port serve what alerts and dashboard ask for, without a login."""
    servers[name].wait(f"serves {metric}", lambda: metric in page(servers[name], 9404))


@pytest.mark.parametrize(
    ("name", "exporter", "port", "login", "metrics"),
    [
        (
            "postgres",
            "prometheus-postgres-exporter",
            9187,
            {
                "DATA_SOURCE_NAME": "host=127.0.0.1 dbname=metastore sslmode=disable",
                "PGUSER": DATABASE["USER"],
                "PGPASSWORD": DATABASE["PASSWORD"],
            },
            ("pg_up 1\n", "\npg_stat_database_numbackends{", "\npg_settings_max_connections{"),
        ),
        (
            "store",
            "prometheus-redis-exporter",
            9121,
            {"REDIS_PASSWORD": STORE_PASSWORD},
            ("redis_up 1\n", "redis_aof_last_write_status 1\n"),
        ),
    ],
)
def test_an_exporter_serves_metrics(
    servers: dict[str, Container], name: str, exporter: str, port: int, login: dict[str, str], metrics: tuple[str, ...]
) -> None:
    """The exporter in the image of a store logs in to it, and serves what alerts ask for."""
    server = servers[name]
    given = [f"{key}={value}" for key, value in login.items()]
    server.execute("env", *given, "bash", "-c", f"{exporter} >/tmp/{exporter} 2>&1 &")
    server.wait(f"serves {metrics}", lambda: all(one in page(server, port) for one in metrics))


def test_the_namenode_has_the_metrics_of_its_alerts(servers: dict[str, Container]) -> None:
    """Each metric of the NameNode that an alert names is one of its bean, whose names are in camel case."""
    alerts = (ROOT / "charts/hdfs/files/alerts.yaml").read_text()
    names = {name.title().replace("_", "") for name in re.findall(r"\bfs_namesystem_(\w+)", alerts)}
    assert names
    bean = page(servers["namenode"], 9870, "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystem", "$HDFS_HOST")
    assert names <= set(re.findall(r'"(\w+)" : ', bean))


def test_spark_driver(tmp_path: Path) -> None:
    """The command that Spark on Kubernetes starts a driver with runs a job with Python workers."""
    job = tmp_path / "job.py"
    job.write_text(
        "import game_events, lake.settings\n"
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "spark._jvm.Class.forName('org.apache.iceberg.spark.SparkCatalog')\n"
        "context = spark.sparkContext\n"
        "print('sum:', context.parallelize([1, 1]).map(lambda one: one).sum(), context.sparkUser())\n"
    )
    job.chmod(0o644)
    options = (f"--volume={job}:/job.py:ro", "--env=SPARK_DRIVER_BIND_ADDRESS=127.0.0.1", "--env=SPARK_USER=submitter")
    printed = run(images.tag("spark"), "driver", "--master", "local[1]", "/job.py", options=options)
    assert "sum: 2 gamelake" in printed


def test_spark_executor() -> None:
    """The command that Spark on Kubernetes starts an executor with makes it connect to its driver."""
    environment = {
        "SPARK_DRIVER_URL": "spark://CoarseGrainedScheduler@nobody:7078",
        "SPARK_EXECUTOR_ID": "1",
        "SPARK_EXECUTOR_CORES": "1",
        "SPARK_EXECUTOR_MEMORY": "256m",
        "SPARK_APPLICATION_ID": "spark-1",
        "SPARK_EXECUTOR_POD_IP": "127.0.0.1",
        "SPARK_EXECUTOR_POD_NAME": "executor-1",
        "SPARK_RESOURCE_PROFILE_ID": "0",
        "SPARK_JAVA_OPT_0": "-Dspark.driver.port=7078",
        "SPARK_JAVA_OPT_1": "-Dspark.app.name=none at all",
    }
    options = tuple(f"--env={key}={value}" for key, value in environment.items())
    with pytest.raises(AssertionError, match="nobody"):
        run(images.tag("spark"), "executor", options=options)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("api", 0),
        ("world", 0),
        ("store", 0),
        ("trino", 143),
        ("metastore", 143),
        ("postgres", 0),
        ("datanode", 143),
        ("secondarynamenode", 143),
        ("namenode", 143),
        ("kafka", 143),
    ],
)
def test_stops_on_sigterm(servers: dict[str, Container], name: str, code: int) -> None:
    """A server stops in time: with 0 if it handles the signal, with 143 if the signal ends the JVM."""
    assert servers[name].stop() == code
