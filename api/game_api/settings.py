"""The service's settings: the one place that reads the environment."""

import re
from dataclasses import dataclass, field

from game_kafka.settings import KafkaSettings, Options, ProducerSettings
from game_settings.logs import LogSettings
from game_settings.reader import FromEnvironment, setting
from game_trino.settings import TrinoSettings

from game_api.identity.settings import IdentitySettings

PREFIXES = ("API_", "KAFKA_", "WORLD_", "LOG_", "TRINO_")
"""Variables that begin like this are the service's; unknown ones are reported at start."""


@dataclass(frozen=True)
class Settings(FromEnvironment):
    bind: str = setting("API_BIND", "127.0.0.1:5000")
    # The admin port: metrics, readiness and the dashboard, for all who can connect to it.
    admin_bind: str = setting("API_ADMIN_BIND", "127.0.0.1:5010")
    workers: int = setting("WEB_CONCURRENCY", 2)
    # For the pages and documents. The game's requests need none.
    threads: int = setting("API_THREADS", 4, least=1)
    # Requests that each worker answers at once, and the size of their bodies together: more are refused at once.
    most_requests: int = setting("API_MOST_REQUESTS", 1000, least=1)
    most_body_kbytes: int = setting("API_MOST_BODY_KBYTES", 32_768, least=1024)
    keepalive_seconds: int = setting("API_KEEPALIVE_SECONDS", 65)
    # The time a client has to send the first line and headers of a request, and its body.
    header_timeout_seconds: int = setting("API_HEADER_TIMEOUT_SECONDS", 5)
    body_timeout_seconds: int = setting("API_BODY_TIMEOUT_SECONDS", 10)
    # Origins of pages whose scripts may use the API, separated by commas; `*`: all.
    cors_origins: str = setting("API_CORS_ORIGINS", "")
    # A file, or `-` for standard output; by default there is no access log.
    access_log: str | None = setting("API_ACCESS_LOG", None)

    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    producer: ProducerSettings = field(default_factory=ProducerSettings)
    log: LogSettings = field(default_factory=LogSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)

    # The address of the world's store; empty: there is no world.
    world_url: str = setting("WORLD_URL", "")
    # Requests a second, and at once; 0 is no limit.
    player_rate: int = setting("API_PLAYER_RATE", 50)
    player_burst: int = setting("API_PLAYER_BURST", 2_000)
    address_rate: int = setting("API_ADDRESS_RATE", 2_000)
    address_burst: int = setting("API_ADDRESS_BURST", 40_000)
    # The number of proxies in front of the API whose report of the client's address is trusted.
    trusted_proxies: int = setting("API_TRUSTED_PROXIES", 0)

    # The Trino that the dashboard queries; without one there is no dashboard.
    trino: TrinoSettings = field(default_factory=TrinoSettings)

    @property
    def binds(self) -> list[str]:
        """Return all addresses to listen on; the last one is the admin port's."""
        return [*(address.strip() for address in self.bind.split(",") if address.strip()), self.admin_bind]

    @property
    def allowed_origins(self) -> frozenset[str]:
        return frozenset(filter(None, re.split(r"[,\s]+", self.cors_origins)))

    def producer_options(self) -> Options:
        """Return librdkafka's configuration for writing."""
        return {"client.id": "game-api", **self.kafka.client(), **self.producer.options()}
