"""Shared by all tests: the worker that runs a test, the rule for skipped tests, and Spark in this process."""

import os
import sys
from collections.abc import Generator, Iterator

import pytest
from pyspark.sql import SparkSession
from testbed.settings import HOST, ROOT, Settings
from testbed.stack import jdk, parts

# Workers run at the same time, so each takes its servers' ports from a range of its own.
if worker := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw"):
    os.environ["GAMELAKE_FREE_PORTS"] = f"{20000 + 3000 * int(worker)}-{22999 + 3000 * int(worker)}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run each module's tests on one worker, and all modules that share the stack on the same one."""
    for item in items:
        shares_stack = "stack" in getattr(item, "fixturenames", ()) and not hasattr(
            getattr(item, "module", None), "stack"
        )
        item.add_marker(pytest.mark.xdist_group("stack" if shares_stack else item.nodeid.split("::")[0]))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With SKIPS=failures, report a skipped test as failed, with the reason of the skip."""
    report = yield
    if report.skipped and os.environ.get("SKIPS") == "failures":
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Spark with its Kafka source, without a lake; one for all tests, because a process has only one JVM."""
    settings = Settings.from_environment()
    parts.fetch_missing(settings, ("spark",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(jdk.find("Spark", 17, 21)))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "api"), str(ROOT / "spark-apps")]))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", HOST)
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
