"""The jobs' settings, above all how they reach Kafka: librdkafka and Spark are told the same in two ways."""

import pytest
from lake.settings import Settings, SettingsError

PLAIN = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "KAFKA_TOPIC": "events",
    "HDFS_URI": "hdfs://namenode:8020",
    "METASTORE_URI": "thrift://metastore:9083",
    "TRINO_HOST": "trino",
    "TRINO_PORT": "8080",
}
SECURE = {
    **PLAIN,
    "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "KAFKA_SASL_USERNAME": "spark",
    "KAFKA_SASL_PASSWORD": 'a "secret" \\ of mine',
}


def test_kafka_asks_for_no_password_by_default() -> None:
    """Without any of the security variables both clients speak plainly and name no user."""
    settings = Settings.from_environment(PLAIN)
    assert settings.kafka_client() == {"bootstrap.servers": "kafka:9092", "security.protocol": "PLAINTEXT"}
    assert settings.kafka_source() == {
        "kafka.bootstrap.servers": "kafka:9092",
        "kafka.security.protocol": "PLAINTEXT",
        "kafka.isolation.level": "read_committed",
        "groupIdPrefix": "gamelake-spark",
    }


def test_credentials_reach_librdkafka() -> None:
    """What checks the topic and reads its ends logs in with the user and his password."""
    assert Settings.from_environment(SECURE).kafka_client() == {
        "bootstrap.servers": "kafka:9092",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "spark",
        "sasl.password": 'a "secret" \\ of mine',
    }


def test_credentials_reach_sparks_source() -> None:
    """Spark's source has them as a line of Java's login configuration, in which quotes and backslashes are escaped."""
    options = Settings.from_environment(SECURE).kafka_source()
    assert options["kafka.security.protocol"] == "SASL_PLAINTEXT"
    assert options["kafka.sasl.mechanism"] == "SCRAM-SHA-512"
    assert options["kafka.sasl.jaas.config"] == (
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        'username="spark" password="a \\"secret\\" \\\\ of mine";'
    )


@pytest.mark.parametrize("name", ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"])
def test_a_missing_credential_is_named(name: str) -> None:
    """With SASL each of the three must be set; the one that is not is named."""
    with pytest.raises(SettingsError, match=f"{name}: is not set"):
        Settings.from_environment({**SECURE, name: ""})


def test_an_unknown_mechanism_is_refused() -> None:
    """A mechanism that Java has no login module for stops the job at its start."""
    with pytest.raises(SettingsError, match=r"KAFKA_SASL_MECHANISM: expected one of PLAIN, .* got 'GSSAPI'"):
        Settings.from_environment({**SECURE, "KAFKA_SASL_MECHANISM": "GSSAPI"})


def test_the_password_is_not_printed() -> None:
    """A settings object in a log or a traceback keeps its password to itself."""
    assert "secret" not in repr(Settings.from_environment(SECURE))
