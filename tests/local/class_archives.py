"""Class archives of the programs that tests start most often: made once, and then found where the jars are."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from testbed.settings import Settings
from testbed.stack import class_archive
from testbed.stack.process import Program
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack

from tests.local.lake import Lake
from tests.poison import EXAMPLES


def make_for_kafka(data: Path) -> None:
    """Archive the classes of a broker that starts and stops, with its data in `data`, unless that was done before."""
    stack = Stack(Settings.isolated(data))
    with _making(stack["kafka"].program) as option, pytest.MonkeyPatch.context() as patch:
        if option:
            patch.setenv("JDK_JAVA_OPTIONS", f"{os.environ['JDK_JAVA_OPTIONS']} {option}")
            try:
                stack.up(["kafka"])
            finally:
                stack.down()


def load_examples(stack: Stack) -> None:
    """Load an event of each type, and archive the classes of the job that does, unless that was done before."""
    Lake(stack).write([path.read_bytes() for path in EXAMPLES.glob("*.json")])
    job = spark_job(stack.settings, "job", "batch.py", "load")
    with _making(job) as option:
        options = {"SPARK_SUBMIT_OPTS": option} if option else {}
        stack.run(replace(job, environment={**job.environment, **options}))


@contextmanager
def _making(program: Program) -> Iterator[str]:
    """Give the JVM option that makes the program's archive, or nothing if it exists; it gets its name at the end.

    Another run of the tests may make the same one meanwhile.
    """
    archive = Path(program.environment[class_archive.VARIABLE])
    if archive.exists():
        yield ""
        return
    partial = archive.with_suffix(f".{os.getpid()}")
    try:
        yield f"-XX:ArchiveClassesAtExit={partial}"
        partial.rename(archive)
    finally:
        partial.unlink(missing_ok=True)
