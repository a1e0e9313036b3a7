"""The stand-ins' settings."""

import os
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Settings:
    kafka_image: str
    """The brokers' image if their Kafka resource names none."""
    kafka_version: str
    """The version of Kafka in that image."""


@cache
def settings() -> Settings:
    return Settings(kafka_image=os.environ["KAFKA_IMAGE"], kafka_version=os.environ["KAFKA_VERSION"])
