"""Builds the images of this tree, and runs a server of each."""

import os
from collections.abc import Iterator

import pytest
from testbed.cluster import images
from testbed.settings import Ports
from testbed.stack import hdfs_client

from tests.images.container import Container, docker

ALL_INTERFACES = "0.0.0.0"  # noqa: S104 inside a container
STORE_PASSWORD = "drawn-at-random"  # noqa: S105 of the tests' own store
DATABASE = {"USER": "metastore", "PASSWORD": 'it\'s a "secret"\\'}


@pytest.fixture(scope="session")
def built() -> None:
    """Build the images, which takes minutes, or seconds when nothing has changed."""
    images.build()


@pytest.fixture(scope="session")
def servers(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Container]]:
    """One server of each image, started in the order of their dependencies; the tests wait until they are ready."""
    network = f"gamelake-test-{os.getpid()}"
    running: dict[str, Container] = {}
    client = tmp_path_factory.mktemp("hadoop")
    namenode = hdfs_client.NameNode("namenode", Ports.namenode, Ports.namenode_http, Ports.zkfc_0)
    hdfs_client.write(client / "hdfs-client", namenode)
    client.chmod(0o755)

    def start(name: str, image_name: str, *arguments: str, **environment: str) -> None:
        volumes = (f"{client}:/etc/hadoop:ro",)
        running[name] = Container(network, name, images.tag(image_name), *arguments, volumes=volumes, **environment)

    docker("network", "create", network)
    try:
        start("kafka", "kafka", KAFKA_HOST="kafka", KAFKA_PORT="9092", KAFKA_CONTROLLER_PORT="9093")
        # The NameNode refuses a checkpoint that its own settings do not ask for.
        checkpoints = {"HDFS_CHECKPOINT_TXNS": "1", "HDFS_CHECKPOINT_CHECK_SECONDS": "1"}
        for name in ("namenode", "secondarynamenode"):
            start(name, "hdfs", name, HDFS_HOST=name, **checkpoints)
        start("datanode", "hdfs", "datanode", HDFS_HOST="datanode")
        start("postgres", "postgres", **{f"POSTGRES_{key}": value for key, value in DATABASE.items()})
        start(
            "trino",
            "trino",
            TRINO_HOST=ALL_INTERFACES,
            TRINO_ADDRESS="trino",
            TRINO_PORT="8080",
            METASTORE_URI="thrift://metastore:9083",
            KAFKA_BOOTSTRAP_SERVERS="kafka:9092",
            KAFKA_TOPIC="events",
            TRINO_METRICS_PORT="9404",
            # Where users do not log in, they write.
            HADOOP_USER_NAME="gamelake",
        )
        start("store", "valkey", STORE_PASSWORD=STORE_PASSWORD, STORE_MEMORY="64mb")
        game = {
            "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
            "KAFKA_TOPIC": "events",
            "WORLD_URL": f"redis://:{STORE_PASSWORD}@store:6379",
        }
        start("api", "api", **game)
        start("world", "api", "world", **game)
        running["postgres"].wait("accepts logins", lambda: running["postgres"].execute("pg_isready").returncode == 0)
        start(
            "metastore",
            "hive-metastore",
            METASTORE_HOST=ALL_INTERFACES,
            METASTORE_PORT="9083",
            METASTORE_METRICS_PORT="9404",
            METASTORE_DB_URL="jdbc:postgresql://postgres:5432/metastore",
            **{f"METASTORE_DB_{key}": value for key, value in DATABASE.items()},
        )
        yield running
    finally:
        for container in running.values():
            container.remove()
        docker("network", "rm", network)
