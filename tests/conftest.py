"""Shared by all tests: the rule for skipped tests, and Spark in this process."""

import os
import sys
from collections.abc import Generator, Iterator

import hypothesis
import pytest
from pyspark.sql import SparkSession
from testbed.settings import HOST, ROOT, Settings
from testbed.stack import jdk, parts

# A run depends on the code alone: examples are the same in each, and a slow machine fails none of them.
# `--hypothesis-profile=default` draws others.
hypothesis.settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With SKIPS=failures, report a skipped test as failed, with the reason of the skip."""
    report = yield
    if report.skipped and os.environ.get("SKIPS") == "failures":
        report.outcome = "failed"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that run Spark in this process or share the stack, unless their module has one of its own."""
    for item in items:
        if isinstance(item, pytest.Function) and (
            "spark" in item.fixturenames or ("stack" in item.fixturenames and not hasattr(item.module, "stack"))
        ):
            item.add_marker("lake")


FOR_FEW_ROWS = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
}
"""Spark's settings for queries of a few rows, whose compilation would cost most of the time."""


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
        # Only the fast compiler: most of the code runs a few times.
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
        patch.setenv("SPARK_DIST_CLASSPATH", f"{parts.path(settings, 'spark')}/jars/*")
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config(map=FOR_FEW_ROWS)
            .config("spark.sql.session.timeZone", "UTC")
            .getOrCreate()
        )
    yield session
    session.stop()
