"""A short fault campaign; `make faults` is the long one."""

import os
import re
import subprocess
import sys

import pytest
from testbed.settings import ROOT

COUNT = 6


@pytest.mark.timeout(1800)
def test_some_faults() -> None:
    """A few faults, drawn anew each time: nothing is lost or doubled, no reader sees it, and all is well in time."""
    ran = subprocess.run(
        [sys.executable, "-m", "testbed.faults", "--count", str(COUNT)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}/hack:{ROOT}/api:{ROOT}/spark-apps"},
        capture_output=True,
        text=True,
        check=False,
    )
    print(ran.stdout)
    assert ran.returncode == 0, ran.stderr
    assert len(re.findall(r"^\[\d of \d\] .* good$", ran.stdout, re.MULTILINE)) == COUNT
    assert "saw 0 doubles or falling counts" in ran.stdout
    assert int(re.search(r"a reader was answered ([\d,]+) times", ran.stdout)[1].replace(",", "")) > COUNT
