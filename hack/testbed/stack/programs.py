"""The programs of the stack: their settings and readiness probes. `images/<name>/run` starts each of them."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pyspark

from testbed.clients import topic
from testbed.clients.stream_metrics import metrics_url
from testbed.settings import HOST, ROOT, Settings
from testbed.stack import class_archive, hdfs, hdfs_client, jdk, parts, probes, trino_login, valkey
from testbed.stack.process import Program


def programs(settings: Settings) -> list[Program]:
    """Return all programs, those that start slowest first."""
    return [
        _trino(settings),
        _kafka(settings),
        *hdfs.programs(settings),
        _metastore(settings),
        _store(settings),
        _api(settings),
        _world(settings),
        spark_job(settings, "tables", "tables.py", needs=("datanode", "metastore")),
        _stream(settings),
        _maintenance(settings),
    ]


def _run(image: str, *arguments: str) -> list[str]:
    return [str(ROOT / "images" / image / "run"), *arguments]


def _java(purpose: str) -> dict[str, str]:
    return {"JAVA_HOME": str(jdk.find(purpose, 17, 21))}


def _kafka(settings: Settings) -> Program:
    java, home = _java("Kafka"), parts.path(settings, "kafka")
    return Program(
        "kafka",
        _run("kafka"),
        {
            **java,
            **class_archive.setting(home, java["JAVA_HOME"]),
            "KAFKA_HOME": str(home),
            "KAFKA_DATA": str(settings.data / "kafka"),
            "KAFKA_HOST": HOST,
            "KAFKA_PORT": str(settings.ports.kafka),
            "KAFKA_CONTROLLER_PORT": str(settings.ports.kafka_controller),
        },
        probe=lambda: topic.ensure(settings),
        ports=("kafka", "kafka_controller"),
        parts=("kafka",),
    )


def _hdfs_client(settings: Settings) -> dict[str, str]:
    return {"HADOOP_CONF_DIR": str(settings.hdfs_client)}


def _metastore(settings: Settings) -> Program:
    return Program(
        "metastore",
        _run("hive-metastore"),
        {
            **_java("the Hive metastore"),
            "METASTORE_HOME": str(parts.path(settings, "hive-metastore")),
            "METASTORE_HOST": HOST,
            "METASTORE_PORT": str(settings.ports.metastore),
            **_hdfs_client(settings),
            "METASTORE_DATA": str(settings.data / "metastore"),
            "METASTORE_DB_URL": "",
        },
        probe=lambda: probes.listens(settings.ports.metastore),
        ports=("metastore",),
        needs=("datanode",),
        parts=("hive-metastore",),
    )


def _trino(settings: Settings) -> Program:
    return Program(
        "trino",
        _run("trino"),
        {
            "JAVA_HOME": str(jdk.find_for_trino()),
            "TRINO_HOME": str(parts.path(settings, "trino")),
            "TRINO_DATA": str(settings.data / "trino"),
            "TRINO_HOST": HOST,
            "TRINO_PORT": str(settings.ports.trino),
            "METASTORE_URI": settings.metastore_uri,
            **_hdfs_client(settings),
            "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
            "KAFKA_TOPIC": settings.topic,
            **trino_login.of_server(settings),
        },
        probe=lambda: probes.answers_queries(settings),
        ports=("trino", "trino_https") if settings.trino_login else ("trino",),
        # On one core it takes more than three minutes.
        patience=360,
        parts=("trino",),
    )


def _store(settings: Settings) -> Program:
    return Program(
        "store",
        _run("valkey"),
        {
            "PATH": f"{valkey.folder()}{os.pathsep}{os.environ['PATH']}",
            "STORE_HOST": HOST,
            "STORE_PORT": str(settings.ports.store),
            "STORE_DATA": str(settings.data / "store"),
        },
        probe=lambda: probes.keeps_the_world(settings),
        ports=("store",),
    )


def _api(settings: Settings) -> Program:
    return Program(
        "api",
        _run("api"),
        {
            **_game_environment(settings),
            "API_BIND": f"{HOST}:{settings.ports.api}",
            "API_ADMIN_BIND": f"{HOST}:{settings.ports.api_admin}",
            **trino_login.of_client(settings, "dashboard"),
            "RUNTIME_DIRECTORY": str(settings.data / "run"),
        },
        probe=lambda: probes.answers(f"{settings.admin_url}/readyz"),
        ports=("api", "api_admin"),
        needs=("kafka",),
    )


def _world(settings: Settings) -> Program:
    """Project the topic into the world; it is ready once it has applied the whole topic."""
    return Program(
        "world",
        _run("api", "world"),
        {
            **_game_environment(settings),
            "WORLD_STAMINA_SECONDS": str(settings.stamina_seconds),
            "WORLD_METRICS_HOST": HOST,
            "WORLD_METRICS_PORT": str(settings.ports.world_metrics),
            "WORLD_SNAPSHOTS": str(settings.data / "world"),
            "WORLD_SNAPSHOT_SECONDS": str(settings.snapshot_seconds),
            **trino_login.of_client(settings, "world"),
        },
        probe=lambda: probes.is_caught_up(settings),
        ports=("world_metrics",),
        needs=("kafka", "store"),
    )


def _game_environment(settings: Settings) -> dict[str, str]:
    return {
        "PATH": _venv_path(),
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "KAFKA_TOPIC": settings.topic,
        "WORLD_URL": settings.store_url,
    }


def spark_job(settings: Settings, name: str, *arguments: str, needs: tuple[str, ...] = ()) -> Program:
    """Return one run of a job in spark-apps; `arguments` are its file, followed by its own arguments."""
    java, home = _java("Spark"), Path(pyspark.__file__).parent
    return Program(
        name,
        _run("spark", *arguments),
        {
            **java,
            **class_archive.setting(home, java["JAVA_HOME"], home / "jars", parts.path(settings, "spark")),
            "PATH": _venv_path(),
            "SPARK_JARS": str(parts.path(settings, "spark")),
            # Overrides a Spark or a Python in the user's own environment.
            "SPARK_HOME": str(home),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": HOST,
            "SPARK_SCRATCH": str(settings.data / "spark"),
            "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
            "KAFKA_TOPIC": settings.topic,
            "SPARK_PROPERTIES": str(hdfs_client.spark_properties(settings.hdfs_client)),
            # The user's own.
            "HADOOP_CONF_DIR": "",
            "METASTORE_URI": settings.metastore_uri,
            **trino_login.of_client(settings, "gamelake"),
            "STREAM_TRIGGER_SECONDS": str(settings.trigger_seconds),
            "METRICS_HOST": HOST,
            "METRICS_PORT": str(settings.ports.stream_metrics),
        },
        needs=needs,
        ends=True,
        parts=("spark",),
    )


def _stream(settings: Settings) -> Program:
    return replace(
        spark_job(settings, "stream", "stream.py", needs=("kafka", "datanode", "metastore", "tables")).kept_running(),
        probe=lambda: probes.answers(metrics_url(settings)),
        ports=("stream_metrics",),
    )


def _maintenance(settings: Settings) -> Program:
    every = str(settings.maintenance_seconds)
    job = spark_job(settings, "maintenance", "maintain.py", "--every", every, needs=("stream",))
    # Leaves a core to queries while maintenance runs, and both to the stream.
    one_core = replace(job, environment=job.environment | {"SPARK_MASTER": "local[1]"})
    return replace(one_core, command=["nice", "-n", "10", *job.command]).kept_running()


def trino_cli(settings: Settings) -> tuple[str, list[str], dict[str, str]]:
    """Return Trino's command-line client, as a program, its arguments and its environment."""
    java = str(jdk.find_for_trino() / "bin/java")
    jar = str(parts.path(settings, "trino") / "trino-cli.jar")
    # A timestamp without a zone is in the session's zone: with UTC, a query has the same result on every machine.
    where = ["--server", settings.trino_url, "--catalog", "hive", "--schema", "default", "--timezone", "UTC"]
    login = trino_login.of_client(settings, "analyst")
    if settings.trino_login:
        where += ["--user", "analyst", "--password", "--truststore-path", login["TRINO_CA_LOCATION"]]
    # Without it, a JDK from 24 on warns about the native code of the terminal library.
    return java, [java, "--enable-native-access=ALL-UNNAMED", "-jar", jar, *where], {**os.environ, **login}


def _venv_path() -> str:
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
