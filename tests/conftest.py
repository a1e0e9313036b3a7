"""Whether a test may be left out: where all that it needs is to be there, as in CI, it may not."""

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With SKIPS=failures a test that is skipped has failed, for the reason why."""
    report = yield
    if report.skipped and os.environ.get("SKIPS") == "failures":
        report.outcome = "failed"
    return report
