"""Real servers for the tests: one stack for all of them, on ports and in a directory of its own."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from local.programs import spark_job
from local.settings import Settings
from local.stack import Stack

from tests.local.lake import Lake
from tests.poison import EXAMPLES

# A test run that is told to end stops its servers, as one does that is interrupted.
signal.signal(signal.SIGTERM, signal.default_int_handler)

# A test's servers and jobs end before the thorough compiler's work pays: it would take a third of the tests' time.
_QUICK = "-XX:TieredStopAtLevel=1"
os.environ["JDK_JAVA_OPTIONS"] = f"{os.environ.get('JDK_JAVA_OPTIONS', '')} {_QUICK}".strip()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The servers, up, with the topic and the tables made: what writes to them is the test's to start."""
    data: Path = tmp_path_factory.mktemp("stack")
    one = Stack(Settings.isolated(data))
    one.up([name for name in one.names if name not in ("stream", "maintenance")])
    _archive_classes(one, data / "spark.jsa")
    yield one
    one.down()


@pytest.fixture(scope="session")
def lake(stack: Stack) -> Lake:
    return Lake(stack)


def _archive_classes(stack: Stack, archive: Path) -> None:
    """Keep the classes of one Spark job as the JVM has them in memory: it spares all that follow a third of their time."""
    Lake(stack).write([path.read_bytes() for path in EXAMPLES.glob("*.json")])
    job = spark_job(stack.settings, "job", "batch.py", "load")
    stack.run(replace(job, environment={**job.environment, "SPARK_SUBMIT_OPTS": f"-XX:ArchiveClassesAtExit={archive}"}))
    os.environ["SPARK_SUBMIT_OPTS"] = f"-XX:SharedArchiveFile={archive}"
