"""The settings of Kafka's clients."""

import pytest
from game_kafka.reader import consumer_options
from game_kafka.settings import KafkaSettings, ProducerSettings
from game_settings.reader import SettingsError

SECURE = {
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "KAFKA_SASL_USERNAME": "ada",
    "KAFKA_SASL_PASSWORD": 'a "secret" \\ of mine',
    "KAFKA_SSL_CA_LOCATION": "/kafka/ca.crt",
}


def test_a_client_needs_no_credentials_by_default() -> None:
    """Without any of the security variables a client connects in plain text and names no user."""
    assert KafkaSettings.from_environment({}).client() == {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "PLAINTEXT",
        "reconnect.backoff.max.ms": 1000,
    }


def test_credentials_are_given_to_every_client() -> None:
    """A client and a consumer log in with the user and the password, and trust the CA."""
    settings = KafkaSettings.from_environment(SECURE)
    expected = {
        "bootstrap.servers": "kafka:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ada",
        "sasl.password": 'a "secret" \\ of mine',
        "ssl.ca.location": "/kafka/ca.crt",
    }
    assert settings.client().items() >= expected.items()
    assert consumer_options(settings, "readers").items() >= (expected | {"group.id": "readers"}).items()


@pytest.mark.parametrize("name", ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"])
def test_a_missing_credential_is_named(name: str) -> None:
    """With SASL each of the three must be set; the missing one is named."""
    with pytest.raises(SettingsError, match=f"^{name}: expected a value, got none$"):
        KafkaSettings.from_environment({**SECURE, name: ""})


def test_an_unknown_mechanism_is_refused() -> None:
    """A mechanism that does not work with a user name and a password stops the process at start."""
    with pytest.raises(SettingsError, match=r"KAFKA_SASL_MECHANISM: expected one of PLAIN, .* got 'GSSAPI'"):
        KafkaSettings.from_environment({**SECURE, "KAFKA_SASL_MECHANISM": "GSSAPI"})


def test_the_queue_holds_one_request_at_least() -> None:
    """A queue that the largest request would not fit into is refused."""
    with pytest.raises(SettingsError, match="KAFKA_QUEUE_MESSAGES: expected at least 1000, got 999"):
        ProducerSettings.from_environment({"KAFKA_QUEUE_MESSAGES": "999"})
    with pytest.raises(SettingsError, match="KAFKA_QUEUE_KBYTES: expected at least 8192, got 8191"):
        ProducerSettings.from_environment({"KAFKA_QUEUE_KBYTES": "8191"})
