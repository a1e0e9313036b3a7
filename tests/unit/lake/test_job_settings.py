"""The jobs' settings, above all how they reach Kafka: librdkafka and Spark need them in two forms."""

import pytest
from game_settings.reader import SettingsError
from lake.settings import Settings

PLAIN = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "KAFKA_TOPIC": "events",
    "METASTORE_URI": "thrift://metastore:9083",
    "TRINO_URL": "http://trino:8080",
}
SECURE = {
    **PLAIN,
    "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "KAFKA_SASL_USERNAME": "spark",
    "KAFKA_SASL_PASSWORD": 'a "secret" \\ of mine',
}


def test_kafka_asks_for_no_password_by_default() -> None:
    """Without any of the security variables both clients connect in plain text and name no user."""
    settings = Settings.from_environment(PLAIN)
    assert settings.kafka.client() == {
        "bootstrap.servers": "kafka:9092",
        "security.protocol": "PLAINTEXT",
        "reconnect.backoff.max.ms": 1000,
    }
    assert settings.kafka_source() == {
        "kafka.bootstrap.servers": "kafka:9092",
        "kafka.security.protocol": "PLAINTEXT",
        "kafka.isolation.level": "read_committed",
        "kafka.group.id": "gamelake-spark",
    }


def test_credentials_reach_librdkafka() -> None:
    """What checks the topic and reads its ends logs in with the user's name and password."""
    assert Settings.from_environment(SECURE).kafka.client() == {
        "bootstrap.servers": "kafka:9092",
        "security.protocol": "SASL_PLAINTEXT",
        "reconnect.backoff.max.ms": 1000,
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


def test_the_ca_is_given_to_both() -> None:
    """With TLS, librdkafka and Spark's source trust the same file of certificates."""
    settings = Settings.from_environment({**SECURE, "KAFKA_SSL_CA_LOCATION": "/kafka/ca.crt"})
    assert settings.kafka.client()["ssl.ca.location"] == "/kafka/ca.crt"
    options = settings.kafka_source()
    assert options["kafka.ssl.truststore.location"] == "/kafka/ca.crt"
    assert options["kafka.ssl.truststore.type"] == "PEM"


@pytest.mark.parametrize("name", list(PLAIN))
def test_a_job_has_no_default_place(name: str) -> None:
    """A job that is not told where to read and write stops at its start and names the setting."""
    with pytest.raises(SettingsError, match=f"^{name}: expected a value, got none$"):
        Settings.from_environment({**PLAIN, name: ""})


@pytest.mark.parametrize("name", ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"])
def test_a_missing_credential_is_named(name: str) -> None:
    """With SASL each of the three must be set; the missing one is named."""
    with pytest.raises(SettingsError, match=f"{name}: expected a value, got none"):
        Settings.from_environment({**SECURE, name: ""})


def test_an_unknown_mechanism_is_refused() -> None:
    """A mechanism that Java has no login module for stops the job at its start."""
    with pytest.raises(SettingsError, match=r"KAFKA_SASL_MECHANISM: expected one of PLAIN, .* got 'GSSAPI'"):
        Settings.from_environment({**SECURE, "KAFKA_SASL_MECHANISM": "GSSAPI"})


def test_the_password_is_not_printed() -> None:
    """A settings object in a log or a traceback does not show its password."""
    assert "secret" not in repr(Settings.from_environment(SECURE))
