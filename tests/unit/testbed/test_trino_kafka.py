"""The settings of Kafka's Java client that Trino starts with."""

import subprocess
from pathlib import Path

from testbed.settings import ROOT


def _settings(folder: Path, **security: str) -> list[str]:
    """Start Trino with a launcher that does nothing; return the lines of its Kafka settings."""
    for name in ("java/bin/java", "trino/bin/launcher"):
        program = folder / name
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    where = {"TRINO_HOST": "127.0.0.1", "TRINO_PORT": "8080", "METASTORE_URI": "thrift://127.0.0.1:9083"}
    where |= {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
        "KAFKA_TOPIC": "events",
        "HADOOP_CONF_DIR": "/conf",
        "PATH": "/usr/bin:/bin",
    }
    folders = {"JAVA_HOME": f"{folder}/java", "TRINO_HOME": f"{folder}/trino", "TRINO_DATA": f"{folder}/data"}
    subprocess.run([ROOT / "images/trino/run"], env=where | folders | security, check=True)
    written = folder / "data/kafka.properties"
    assert written.stat().st_mode & 0o077 == 0
    return written.read_text().splitlines()


def test_trino_reads_committed_records(tmp_path: Path) -> None:
    """It reads what all other readers of the topic read, by default without a login."""
    assert _settings(tmp_path) == ["isolation.level=read_committed", "security.protocol=PLAINTEXT"]


def test_trino_logs_in_to_kafka(tmp_path: Path) -> None:
    """A password may have any character: it is quoted for the login, and then for the file."""
    login = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SSL_CA_LOCATION": "/kafka/ca.crt"}
    login |= {"KAFKA_SASL_USERNAME": "trino", "KAFKA_SASL_PASSWORD": 'a"b\\c'}
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    assert _settings(tmp_path, **login)[1:] == [
        "security.protocol=SASL_SSL",
        "sasl.mechanism=SCRAM-SHA-512",
        rf'sasl.jaas.config={module} required username="trino" password="a\\"b\\\\c";',
        "ssl.truststore.type=PEM",
        "ssl.truststore.location=/kafka/ca.crt",
    ]
