import os
import sys
from collections.abc import Iterator

import pytest
from local import jdk
from local.settings import ROOT
from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Spark alone, without a lake: for transforms."""
    os.environ["JAVA_HOME"] = str(jdk.find("Spark", 17, 21))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "api"), str(ROOT / "spark-apps")])
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    yield session
    session.stop()
