"""Real servers for the tests: one stack for all of them, with ports and a directory of its own."""

import signal
from collections.abc import Iterator

import pytest
from testbed.settings import Settings
from testbed.stack.stack import Stack

from tests.local.chronicle import Chronicle
from tests.local.class_archives import load_examples, make_for_kafka
from tests.local.game import Game, running_game
from tests.local.lake import Lake

# On SIGTERM a test run stops its servers, as on Ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="package", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """Settings for all programs that the tests start: JVMs use only the fast compiler, because they end soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
        make_for_kafka(tmp_path_factory.mktemp("kafka"))
        yield patch


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running servers, with the topic and the tables; tests start what writes to them."""
    one = Stack(Settings.isolated(tmp_path_factory.mktemp("stack")))
    try:
        one.up([name for name in one.names if name not in ("stream", "maintenance")])
        load_examples(one)
        yield one
    finally:
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


@pytest.fixture
def repaired(lake: Lake) -> Iterator[None]:
    """Undo the test's changes to the table, if no snapshot expires meanwhile."""
    [[snapshot]] = lake.ask("SELECT snapshot_id FROM lake.default.\"events$refs\" WHERE name = 'main'")
    yield
    lake.ask(f"ALTER TABLE lake.default.events EXECUTE rollback_to_snapshot({snapshot})")
