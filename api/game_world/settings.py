"""The projection's settings: the one place that reads the environment."""

from dataclasses import dataclass, field

from game_events.rules import STAMINA_SECONDS
from game_kafka.settings import KafkaSettings, ProducerSettings
from game_settings.logs import LogSettings
from game_settings.reader import FromEnvironment, setting
from game_trino.settings import TrinoSettings

PREFIXES = ("KAFKA_", "WORLD_", "LOG_", "TRINO_")
"""Variables that begin like this are the projection's; unknown ones are reported at start."""

GROUP = "game-world"
"""The name of the consumer group: the broker's access rules are given to it."""

SNAPSHOT_SECONDS = 900
"""Seconds between two snapshots, by default."""


@dataclass(frozen=True)
class Settings(FromEnvironment):
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    # The API's, whose events the world waits for.
    producer: ProducerSettings = field(default_factory=ProducerSettings)
    log: LogSettings = field(default_factory=LogSettings)
    # The address of the world's store.
    world_url: str = setting("WORLD_URL", "")
    # Where the projection serves its metrics.
    metrics_host: str = setting("WORLD_METRICS_HOST", "127.0.0.1")
    metrics_port: int = setting("WORLD_METRICS_PORT", 9109, least=1, most=65535, expected="a port from 1 to 65535")
    # The folder of the world's snapshots, which no other world uses; empty: none are taken.
    snapshots: str = setting("WORLD_SNAPSHOTS", "")
    # Seconds between two snapshots. Nothing is projected while one is taken.
    snapshot_seconds: int = setting("WORLD_SNAPSHOT_SECONDS", SNAPSHOT_SECONDS, least=1)
    # The Trino that reads the table `events` for a world that lacks what Kafka has dropped; without one such events are
    # left out.
    trino: TrinoSettings = field(default_factory=TrinoSettings)
    # Seconds until a player has one stamina back; 0: actions take none.
    stamina_seconds: int = setting("WORLD_STAMINA_SECONDS", STAMINA_SECONDS)
