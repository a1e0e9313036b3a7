"""Where the jobs read and write: the one place that reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

EVENTS = "lake.default.events"
"""The table; Spark and Trino call it by the same name."""

GROUPS = "gamelake-"
"""Names of consumer groups begin with this: the broker's rights are given to it."""

_LOGIN_MODULES = {
    "PLAIN": "plain.PlainLoginModule",
    "SCRAM-SHA-256": "scram.ScramLoginModule",
    "SCRAM-SHA-512": "scram.ScramLoginModule",
}
"""Java's half of each way to prove who one is."""


class SettingsError(ValueError):
    """A setting that is missing or cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    bootstrap_servers: str
    topic: str
    hdfs_uri: str
    metastore_uri: str
    trino_host: str
    trino_port: int
    hdfs_replication: int = 1
    trigger_seconds: int = 10
    max_offsets_per_trigger: int = 500_000
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9108
    snapshot_hours: int = 3
    orphan_hours: int = 24
    retention_days: int = 0
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = ""
    sasl_username: str = ""
    sasl_password: str = field(default="", repr=False)

    # Outside the metastore's own warehouse, where it allows no table of others.
    @property
    def events_location(self) -> str:
        return f"{self.hdfs_uri}/lake/events"

    @property
    def checkpoint_location(self) -> str:
        return f"{self.hdfs_uri}/lake/checkpoint"

    @property
    def export_location(self) -> str:
        return f"{self.hdfs_uri}/export"

    def kafka_client(self) -> dict[str, str]:
        """How librdkafka reaches the broker."""
        optional = {
            "sasl.mechanism": self.sasl_mechanism,
            "sasl.username": self.sasl_username,
            "sasl.password": self.sasl_password,
        }
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            **{name: value for name, value in optional.items() if value},
        }

    def kafka_source(self) -> dict[str, str]:
        """How Spark's Kafka source reaches the same."""
        options = {
            "kafka.bootstrap.servers": self.bootstrap_servers,
            "kafka.security.protocol": self.security_protocol,
            # As librdkafka does by default, which everybody else reads with: aborted records never were.
            "kafka.isolation.level": "read_committed",
            "groupIdPrefix": f"{GROUPS}spark",
        }
        if self.sasl_mechanism:
            module = f"org.apache.kafka.common.security.{_LOGIN_MODULES[self.sasl_mechanism]}"
            user = f"username={_quoted(self.sasl_username)} password={_quoted(self.sasl_password)}"
            options["kafka.sasl.mechanism"] = self.sasl_mechanism
            options["kafka.sasl.jaas.config"] = f"{module} required {user};"
        return options

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment, or raise SettingsError."""
        return cls(
            bootstrap_servers=_required(environment, "KAFKA_BOOTSTRAP_SERVERS"),
            topic=_required(environment, "KAFKA_TOPIC"),
            hdfs_uri=_required(environment, "HDFS_URI"),
            metastore_uri=_required(environment, "METASTORE_URI"),
            trino_host=_required(environment, "TRINO_HOST"),
            trino_port=_number(environment, "TRINO_PORT"),
            hdfs_replication=_number(environment, "HDFS_REPLICATION", cls.hdfs_replication),
            trigger_seconds=_number(environment, "STREAM_TRIGGER_SECONDS", cls.trigger_seconds),
            max_offsets_per_trigger=_number(environment, "STREAM_MAX_OFFSETS", cls.max_offsets_per_trigger),
            metrics_host=environment.get("METRICS_HOST") or cls.metrics_host,
            metrics_port=_number(environment, "METRICS_PORT", cls.metrics_port),
            snapshot_hours=_number(environment, "MAINTAIN_SNAPSHOT_HOURS", cls.snapshot_hours),
            # Files that are younger may be a running job's: Iceberg itself refuses less.
            orphan_hours=_number(environment, "MAINTAIN_ORPHAN_HOURS", cls.orphan_hours, least=24),
            # 0: all days are kept.
            retention_days=_number(environment, "MAINTAIN_RETENTION_DAYS", cls.retention_days),
            **_security(environment),
        )


def _security(environment: Mapping[str, str]) -> dict[str, str]:
    protocol = environment.get("KAFKA_SECURITY_PROTOCOL") or Settings.security_protocol
    if not protocol.startswith("SASL_"):
        return {"security_protocol": protocol}
    mechanism = _required(environment, "KAFKA_SASL_MECHANISM")
    if mechanism not in _LOGIN_MODULES:
        raise SettingsError(f"KAFKA_SASL_MECHANISM: expected one of {', '.join(_LOGIN_MODULES)}, got {mechanism!r}")
    return {
        "security_protocol": protocol,
        "sasl_mechanism": mechanism,
        "sasl_username": _required(environment, "KAFKA_SASL_USERNAME"),
        "sasl_password": _required(environment, "KAFKA_SASL_PASSWORD"),
    }


def _quoted(text: str) -> str:
    """A value as Java's login configuration has it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _required(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        raise SettingsError(f"{name}: is not set")
    return environment[name]


def _number(environment: Mapping[str, str], name: str, default: int | None = None, least: int = 0) -> int:
    value = environment.get(name) or ("" if default is None else str(default))
    if not value.isdecimal():
        raise SettingsError(f"{name}: expected a number, got {value!r}")
    if int(value) < least:
        raise SettingsError(f"{name}: expected at least {least}, got {value}")
    return int(value)
