"""Real servers for the tests: one stack for all of them, with ports and a directory of its own."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from testbed.settings import Settings
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack

from tests.local.chronicle import Chronicle
from tests.local.game import Game, running_game
from tests.local.lake import Lake
from tests.poison import EXAMPLES

# On SIGTERM a test run stops its servers, as on Ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that share the stack, unless their module has a stack of its own."""
    for item in items:
        if isinstance(item, pytest.Function) and "stack" in item.fixturenames and not hasattr(item.module, "stack"):
            item.add_marker("lake")


@pytest.fixture(scope="package", autouse=True)
def environment() -> Iterator[pytest.MonkeyPatch]:
    """Settings for all programs that the tests start: JVMs use only the fast compiler, because they end soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
        yield patch


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> Iterator[Stack]:
    """The running servers, with the topic and the tables; tests start what writes to them."""
    data: Path = tmp_path_factory.mktemp("stack")
    one = Stack(Settings.isolated(data))
    one.up([name for name in one.names if name not in ("stream", "maintenance")])
    environment.setenv("SPARK_SUBMIT_OPTS", _archive_classes(one, data / "spark.jsa"))
    yield one
    one.down()


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    """Kafka, the API and the world, of a module's own."""
    with running_game(tmp_path_factory.mktemp("game")) as game:
        yield game


@pytest.fixture(scope="module")
def chronicle(game: Game) -> Chronicle:
    return Chronicle(game)


@pytest.fixture(scope="package")
def lake(stack: Stack) -> Lake:
    return Lake(stack)


def _archive_classes(stack: Stack, archive: Path) -> str:
    """Archive the classes that one Spark job loads; return the JVM option that makes later jobs load the archive."""
    Lake(stack).write([path.read_bytes() for path in EXAMPLES.glob("*.json")])
    job = spark_job(stack.settings, "job", "batch.py", "load")
    stack.run(replace(job, environment={**job.environment, "SPARK_SUBMIT_OPTS": f"-XX:ArchiveClassesAtExit={archive}"}))
    return f"-XX:SharedArchiveFile={archive}"
