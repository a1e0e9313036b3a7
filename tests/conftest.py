"""What all tests share: which worker runs one, whether it may be left out, and Spark in this process."""

import os
import sys
from collections.abc import Generator, Iterator

import pytest
from local import jdk, parts
from local.settings import ROOT, Settings
from pyspark.sql import SparkSession

# Workers that run beside each other take the ports of their servers from different ranges.
if worker := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw"):
    os.environ["GAMELAKE_FREE_PORTS"] = f"{20000 + 3000 * int(worker)}-{22999 + 3000 * int(worker)}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a module's tests on one worker, and those of all modules that share the stack: there is one of it."""
    for item in items:
        shares_stack = "stack" in getattr(item, "fixturenames", ()) and not hasattr(
            getattr(item, "module", None), "stack"
        )
        item.add_marker(pytest.mark.xdist_group("stack" if shares_stack else item.path.stem))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With SKIPS=failures a test that is skipped has failed, for the reason why."""
    report = yield
    if report.skipped and os.environ.get("SKIPS") == "failures":
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Spark with its Kafka source, without a lake; one for all tests, because a process starts only one JVM."""
    settings = Settings.from_environment()
    parts.fetch_missing(settings, ("spark",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(jdk.find("Spark", 17, 21)))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "api"), str(ROOT / "spark-apps")]))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("SPARK_DIST_CLASSPATH", f"{parts.path(settings, 'spark')}/jars/*")
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.session.timeZone", "UTC")
            .getOrCreate()
        )
    yield session
    session.stop()
