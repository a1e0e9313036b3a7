"""Errors that pass when a server is back."""

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from lake.offsets import UnavailableError
from lake.termination import root_cause

_OF_SERVERS = (
    "MetaException(message:Could not connect to meta store",
    "java.io.",
    "java.net.",
    "java.util.concurrent.TimeoutException",
    "org.apache.hadoop.hdfs.",
    "org.apache.hadoop.ipc.",
    "org.apache.thrift.transport.",
)
"""How Java's errors begin where Kafka, HDFS or the metastore does not answer, or cannot do its work."""


def outage(error: Exception) -> str | None:
    """Return what a server's outage is called in a log; None if the error is another one."""
    if isinstance(error, UnavailableError):
        return str(error)
    if isinstance(error, PySparkException | Py4JJavaError) and (cause := root_cause(error)).startswith(_OF_SERVERS):
        return cause
    return None
