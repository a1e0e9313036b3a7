import pytest
from game_api.settings import Settings
from game_kafka.settings import ProducerSettings


def test_defaults_are_for_one_machine():
    """Without any environment the service listens on loopback and looks for Kafka there."""
    settings = Settings.from_environment({})
    assert settings == Settings()
    assert (settings.bind, settings.kafka.bootstrap_servers) == ("127.0.0.1:5000", "127.0.0.1:9092")


def test_an_answer_comes_within_five_seconds():
    """Kafka's timeout leaves time for noticing it late."""
    assert ProducerSettings().delivery_timeout_ms / 1000 + 1 < ProducerSettings().answer_timeout < 5


def test_credentials_reach_the_producer():
    """SASL settings are given to librdkafka only where they are set."""
    environment = {
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": "api",
        "KAFKA_SASL_PASSWORD": "secret",
    }
    producer = Settings.from_environment(environment).producer_options()
    assert producer["sasl.mechanism"] == "SCRAM-SHA-512"
    assert producer["sasl.password"] == "secret"
    assert not any(name.startswith(("sasl", "ssl")) for name in Settings().producer_options())


def test_a_wrong_number_is_named():
    """A setting that is not a number stops the start and is named."""
    with pytest.raises(ValueError, match="API_THREADS: expected a whole number, got 'many'"):
        Settings.from_environment({"API_THREADS": "many"})
