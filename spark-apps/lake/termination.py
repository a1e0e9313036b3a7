"""How the driver is stopped, and the cause of its errors."""

from collections.abc import Callable
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.java_gateway import ensure_callback_server_started
from pyspark.sql import SparkSession


class _OnSignal:
    """Java's `sun.misc.SignalHandler`."""

    class Java:
        implements = ("sun.misc.SignalHandler",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call

    def handle(self, _: object) -> None:
        self._call()


def on_sigterm(spark: SparkSession, call: Callable[[], None]) -> None:
    """Call this on SIGTERM instead of exiting at once.

    The JVM is the process that gets the signal. By default it exits, and Python with it.
    """
    jvm: Any = spark._jvm
    ensure_callback_server_started(spark.sparkContext._gateway)  # type: ignore[no-untyped-call]
    jvm.sun.misc.Signal.handle(jvm.sun.misc.Signal("TERM"), _OnSignal(call))


def causes(error: BaseException) -> list[str]:
    """Return the causes of an error that passed through Python and Java, the innermost first, one line each."""
    while error.__cause__ is not None:
        error = error.__cause__
    java: Any = getattr(error, "_origin", None) if isinstance(error, PySparkException) else error
    if not isinstance(java, Py4JJavaError):
        return [_first_line(f"{type(error).__name__}: {error}")]
    chain = []
    cause = java.java_exception
    while cause is not None:
        chain.append(_first_line(str(cause.toString())))
        cause = cause.getCause()
    return list(dict.fromkeys(reversed(chain)))


def root_cause(error: BaseException) -> str:
    """Return the innermost cause of an error, in one line."""
    return causes(error)[0]


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else text
