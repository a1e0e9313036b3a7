"""Settings of Kafka's clients."""

from dataclasses import dataclass

from game_settings.reader import FromEnvironment, SettingsError, setting

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

Options = dict[str, str | int | bool]
"""Configuration of librdkafka."""


@dataclass(frozen=True)
class KafkaSettings(FromEnvironment):
    """How clients connect. With a protocol SASL_…, mechanism, user name and password are required."""

    bootstrap_servers: str = setting("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    topic: str = setting("KAFKA_TOPIC", "events")
    security_protocol: str = setting("KAFKA_SECURITY_PROTOCOL", "PLAINTEXT")
    sasl_mechanism: str = setting("KAFKA_SASL_MECHANISM", "")
    sasl_username: str = setting("KAFKA_SASL_USERNAME", "")
    sasl_password: str = setting("KAFKA_SASL_PASSWORD", "", secret=True)
    # A file of certificates in PEM; by default the system's are trusted.
    ssl_ca_location: str = setting("KAFKA_SSL_CA_LOCATION", "")

    def __post_init__(self) -> None:
        if not self.has_sasl:
            return
        for name in ("sasl_mechanism", "sasl_username", "sasl_password"):
            if not getattr(self, name):
                raise SettingsError(f"KAFKA_{name.upper()}: expected a value, got none")
        if self.sasl_mechanism not in MECHANISMS:
            expected = ", ".join(MECHANISMS)
            raise SettingsError(f"KAFKA_SASL_MECHANISM: expected one of {expected}, got {self.sasl_mechanism!r}")

    @property
    def has_sasl(self) -> bool:
        return self.security_protocol.startswith("SASL_")

    def client(self) -> Options:
        """Return librdkafka's configuration for a connection."""
        options: Options = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            # The default of 10 s is longer than a broker takes to restart.
            "reconnect.backoff.max.ms": 1000,
        }
        if self.has_sasl:
            options["sasl.mechanism"] = self.sasl_mechanism
            options["sasl.username"] = self.sasl_username
            options["sasl.password"] = self.sasl_password
        if self.ssl_ca_location:
            options["ssl.ca.location"] = self.ssl_ca_location
        return options


@dataclass(frozen=True)
class ProducerSettings(FromEnvironment):
    """How the API writes. The world reads these too: they bound how late an event may reach the topic."""

    linger_ms: int = setting("KAFKA_LINGER_MS", 5)
    # Kafka gives up after this, and may notice a second late: less than the 5 s in which an answer is promised.
    delivery_timeout_ms: int = setting("KAFKA_DELIVERY_TIMEOUT_MS", 3000)
    # Limits of what a worker holds for Kafka. A request that would exceed them is refused as a whole; one request may
    # need the least that is accepted. By default 32 bulk requests of 1,000 events may be in flight.
    queue_messages: int = setting("KAFKA_QUEUE_MESSAGES", 32_000, least=1000)
    queue_kbytes: int = setting("KAFKA_QUEUE_KBYTES", 24_576, least=8192)

    @property
    def answer_timeout(self) -> float:
        """The most seconds a request waits for Kafka."""
        return self.delivery_timeout_ms / 1000 + 1.5

    def options(self) -> Options:
        """Return librdkafka's configuration of the producer, which a connection's completes."""
        return {
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": self.linger_ms,
            "message.timeout.ms": self.delivery_timeout_ms,
            # Never reached: `Budget` refuses before, and not in the middle of a request.
            "queue.buffering.max.messages": 2 * self.queue_messages,
            "queue.buffering.max.kbytes": 2 * self.queue_kbytes,
        }
