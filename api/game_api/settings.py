"""The service's settings: the one place that reads the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Each field is read from the environment variable beside it in `from_environment`."""

    bind: str = "127.0.0.1:5000"
    workers: int = 2
    threads: int = 32
    keepalive_seconds: int = 65
    # In all, for a request's first line and headers, and for its body.
    header_timeout_seconds: int = 5
    body_timeout_seconds: int = 10
    # Origins of pages whose scripts may use the API, with commas between them; `*`: all.
    cors_origins: str = ""
    access_log: str | None = None

    bootstrap_servers: str = "127.0.0.1:9092"
    topic: str = "events"
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = ""
    sasl_username: str = ""
    sasl_password: str = ""
    ssl_ca_location: str = ""

    linger_ms: int = 5
    # After this Kafka gives up, and may notice a second late: less than the 5 s in which an answer is promised.
    delivery_timeout_ms: int = 3000
    # What a worker holds for Kafka at most. A request that would exceed it is refused as a whole. By default every
    # thread may have a bulk request of 1,000 events under way.
    queue_messages: int = 32_000
    queue_kbytes: int = 24_576

    # Empty: there is no world.
    world_url: str = ""
    # Requests a second, and at once; 0 is no limit.
    player_rate: int = 50
    player_burst: int = 2_000
    address_rate: int = 2_000
    address_burst: int = 40_000
    # That many proxies before it are believed what they say of the client's address.
    trusted_proxies: int = 0

    # Where the dashboard asks; empty: there is no dashboard.
    trino_url: str = ""

    @property
    def answer_timeout(self) -> float:
        """Seconds a request waits for Kafka at most."""
        return self.delivery_timeout_ms / 1000 + 1.5

    @property
    def allowed_origins(self) -> frozenset[str]:
        return frozenset(filter(None, re.split(r"[,\s]+", self.cors_origins)))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Raise ValueError, naming the variable, for a number that is none."""

        def number(name: str, default: int) -> int:
            text = environment.get(name) or str(default)
            if not text.isdecimal():
                raise ValueError(f"{name}: expected a whole number, not {text!r}")
            return int(text)

        def at_least(least: int, name: str, default: int) -> int:
            if (given := number(name, default)) < least:
                raise ValueError(f"{name}: expected at least {least}, which one request may need, got {given}")
            return given

        def text(name: str, default: str) -> str:
            return environment.get(name) or default

        return cls(
            bind=text("API_BIND", cls.bind),
            workers=number("WEB_CONCURRENCY", cls.workers),
            threads=number("API_THREADS", cls.threads),
            keepalive_seconds=number("API_KEEPALIVE_SECONDS", cls.keepalive_seconds),
            header_timeout_seconds=number("API_HEADER_TIMEOUT_SECONDS", cls.header_timeout_seconds),
            body_timeout_seconds=number("API_BODY_TIMEOUT_SECONDS", cls.body_timeout_seconds),
            cors_origins=text("API_CORS_ORIGINS", cls.cors_origins),
            access_log=environment.get("API_ACCESS_LOG") or None,
            bootstrap_servers=text("KAFKA_BOOTSTRAP_SERVERS", cls.bootstrap_servers),
            topic=text("KAFKA_TOPIC", cls.topic),
            security_protocol=text("KAFKA_SECURITY_PROTOCOL", cls.security_protocol),
            sasl_mechanism=text("KAFKA_SASL_MECHANISM", cls.sasl_mechanism),
            sasl_username=text("KAFKA_SASL_USERNAME", cls.sasl_username),
            sasl_password=text("KAFKA_SASL_PASSWORD", cls.sasl_password),
            ssl_ca_location=text("KAFKA_SSL_CA_LOCATION", cls.ssl_ca_location),
            linger_ms=number("KAFKA_LINGER_MS", cls.linger_ms),
            delivery_timeout_ms=number("KAFKA_DELIVERY_TIMEOUT_MS", cls.delivery_timeout_ms),
            queue_messages=at_least(1000, "KAFKA_QUEUE_MESSAGES", cls.queue_messages),
            queue_kbytes=at_least(8192, "KAFKA_QUEUE_KBYTES", cls.queue_kbytes),
            world_url=text("WORLD_URL", cls.world_url),
            player_rate=number("API_PLAYER_RATE", cls.player_rate),
            player_burst=number("API_PLAYER_BURST", cls.player_burst),
            address_rate=number("API_ADDRESS_RATE", cls.address_rate),
            address_burst=number("API_ADDRESS_BURST", cls.address_burst),
            trusted_proxies=number("API_TRUSTED_PROXIES", cls.trusted_proxies),
            trino_url=text("TRINO_URL", cls.trino_url),
        )

    def connection(self) -> dict[str, str | int | bool]:
        """Return how librdkafka reaches Kafka."""
        optional = {
            "sasl.mechanism": self.sasl_mechanism,
            "sasl.username": self.sasl_username,
            "sasl.password": self.sasl_password,
            "ssl.ca.location": self.ssl_ca_location,
        }
        return {
            "client.id": "game-api",
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            # The default of 10 s is longer than a broker takes to come back.
            "reconnect.backoff.max.ms": 1000,
            **{name: value for name, value in optional.items() if value},
        }

    def producer(self) -> dict[str, str | int | bool]:
        """Return librdkafka's configuration for writing."""
        return {
            **self.connection(),
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": self.linger_ms,
            "message.timeout.ms": self.delivery_timeout_ms,
            # Never reached: `Budget` refuses before, and not in the middle of a request.
            "queue.buffering.max.messages": 2 * self.queue_messages,
            "queue.buffering.max.kbytes": 2 * self.queue_kbytes,
        }
