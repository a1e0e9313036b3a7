"""The jobs' settings: the one place that reads the environment."""

import sys
from dataclasses import dataclass, field

from game_kafka.settings import KafkaSettings, ProducerSettings
from game_settings.logs import LogSettings
from game_settings.reader import FromEnvironment, setting
from game_settings.start import start as start_process
from game_trino.settings import TrinoSettings

EVENTS = "lake.default.events"
"""The table; Spark and Trino call it by the same name."""
ROLLUPS = "lake.default.rollups"

FILE_SYSTEM = "hdfs://lake"
"""A logical name: HADOOP_CONF_DIR says which NameNodes serve it, so that no path contains a host or a port."""

GROUPS = "gamelake-"
"""Names of consumer groups begin with this: the broker's access rules are given to it."""

_PREFIXES = ("KAFKA_", "STREAM_", "MAINTAIN_", "METRICS_", "LOG_", "TRINO_")
"""Variables that begin like this are the jobs'; unknown ones are reported at start."""

_LOGIN_MODULES = {
    "PLAIN": "plain.PlainLoginModule",
    "SCRAM-SHA-256": "scram.ScramLoginModule",
    "SCRAM-SHA-512": "scram.ScramLoginModule",
}
"""Java's class for each SASL mechanism."""


@dataclass(frozen=True)
class JobKafkaSettings(KafkaSettings):
    """A job has no default for which topic it reads."""

    bootstrap_servers: str = setting("KAFKA_BOOTSTRAP_SERVERS")
    topic: str = setting("KAFKA_TOPIC")


@dataclass(frozen=True)
class JobTrinoSettings(TrinoSettings):
    """Every job has an address of Trino."""

    url: str = setting("TRINO_URL", pattern=r"https?://.+", expected="http://… or https://…")


@dataclass(frozen=True)
class Settings(FromEnvironment):
    kafka: JobKafkaSettings
    trino: JobTrinoSettings
    metastore_uri: str = setting("METASTORE_URI")
    trigger_seconds: int = setting("STREAM_TRIGGER_SECONDS", 10)
    max_offsets_per_trigger: int = setting("STREAM_MAX_OFFSETS", 500_000)
    # Where the stream serves its metrics.
    metrics_host: str = setting("METRICS_HOST", "127.0.0.1")
    metrics_port: int = setting("METRICS_PORT", 9108)
    # Snapshots older than this expire.
    snapshot_hours: int = setting("MAINTAIN_SNAPSHOT_HOURS", 3)
    # Files that no snapshot knows are deleted at this age. Younger ones may be a running job's: Iceberg itself refuses
    # less than a day.
    orphan_hours: int = setting("MAINTAIN_ORPHAN_HOURS", 24, least=24)
    # Days of events to keep; 0: all.
    retention_days: int = setting("MAINTAIN_RETENTION_DAYS", 0)
    log: LogSettings = field(default_factory=LogSettings)

    # Outside the metastore's own warehouse, where it allows no external table.
    @property
    def events_location(self) -> str:
        return f"{FILE_SYSTEM}/lake/events"

    @property
    def rollups_location(self) -> str:
        return f"{FILE_SYSTEM}/lake/rollups"

    @property
    def export_location(self) -> str:
        return f"{FILE_SYSTEM}/export"

    def kafka_source(self) -> dict[str, str]:
        """Return the options of Spark's Kafka source, which connects as librdkafka does."""
        kafka = self.kafka
        options = {
            "kafka.bootstrap.servers": kafka.bootstrap_servers,
            "kafka.security.protocol": kafka.security_protocol,
            # As all other readers: aborted records are not part of the topic.
            "kafka.isolation.level": "read_committed",
            # Nobody joins a group of this name. All batches have the same, so that they use the same connections.
            "kafka.group.id": f"{GROUPS}spark",
        }
        if kafka.has_sasl:
            module = f"org.apache.kafka.common.security.{_LOGIN_MODULES[kafka.sasl_mechanism]}"
            user = f"username={_quoted(kafka.sasl_username)} password={_quoted(kafka.sasl_password)}"
            options["kafka.sasl.mechanism"] = kafka.sasl_mechanism
            options["kafka.sasl.jaas.config"] = f"{module} required {user};"
        if kafka.ssl_ca_location:
            options["kafka.ssl.truststore.type"] = "PEM"
            options["kafka.ssl.truststore.location"] = kafka.ssl_ca_location
        return options


def start() -> Settings:
    """Read a job's settings and set up its log; raise SettingsError."""
    # Spark's own log is on standard error.
    return start_process(Settings, _PREFIXES, ProducerSettings, stream=sys.stdout)


def _quoted(text: str) -> str:
    """Quote a value for Java's login configuration."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
