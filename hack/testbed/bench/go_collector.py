"""Builds the Go collector of `collector/`, with this machine's Go and the pinned modules of go.sum."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from game_api.origin import STORED_LENGTH
from game_api.speculation import PREVIEWS, PURPOSES
from game_events import COMMON_FIELDS, FIRST, SCHEMA_VERSION
from game_events.chance import Normal
from game_events.fields import MAX_STRING
from game_events.names import NAMES
from game_kafka.settings import ProducerSettings

SOURCE = Path(__file__).with_name("collector")
BUILD_SECONDS = 300
"""The first build also compiles Go's standard library."""


class UnavailableError(RuntimeError):
    """The Go collector cannot be built here; the message is the reason."""


def build(folder: Path) -> Path:
    """Build the program into this folder; raise UnavailableError."""
    go = shutil.which("go")
    if not go:
        raise UnavailableError("go is not on the PATH")
    program = folder / "collector"
    folder.mkdir(parents=True, exist_ok=True)
    # The checksums of go.sum are compared; nothing is resolved to another version.
    command = [go, "build", "-mod=readonly", "-trimpath", "-o", str(program)]
    environment = {**os.environ, "GOFLAGS": "", "GOWORK": "off", "CGO_ENABLED": "0"}
    try:
        subprocess.run(
            command, cwd=SOURCE, env=environment, check=True, capture_output=True, text=True, timeout=BUILD_SECONDS
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [str(error)]
        raise UnavailableError(f"go build: {lines[-1]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"go build: {error}") from error
    return program


def versions(program: Path) -> str:
    """Return the versions of Go and of its Kafka client that a program was built with."""
    printed = subprocess.run(["go", "version", "-m", str(program)], capture_output=True, text=True, check=True).stdout
    go = printed.splitlines()[0].rpartition(": ")[2]
    client = next(line.split()[2] for line in printed.splitlines() if line.split()[1:2] == ["github.com/twmb/franz-go"])
    return f"{go}, franz-go {client}"


def write_contract(folder: Path) -> Path:
    """Write the parts of the contract that the program reads, and return the file."""
    file = folder / "contract.json"
    file.write_text(json.dumps(_contract()))
    return file


def _contract() -> dict[str, Any]:
    producer = ProducerSettings.from_environment()
    return {
        "schema_version": SCHEMA_VERSION,
        "longest": MAX_STRING,
        "longest_name": NAMES["player"],
        "longest_key": next(field.maximum for field in COMMON_FIELDS if field.name == "event_id"),
        "stored": STORED_LENGTH,
        "previews": PREVIEWS,
        "purposes": PURPOSES,
        "linger_ms": producer.linger_ms,
        "delivery_timeout_ms": producer.delivery_timeout_ms,
        "actions": [
            {
                "name": one.name,
                "path": one.request,
                "description": one.description,
                "answer": one.result.answer,
                "strength": _normal(one.draws.get("strength")),
            }
            for one in FIRST
        ],
    }


def _normal(distribution: object) -> dict[str, float] | None:
    if not isinstance(distribution, Normal):
        return None
    return {
        "mean": distribution.mean,
        "sigma": distribution.sigma,
        "low": distribution.low,
        "high": distribution.high,
    }
