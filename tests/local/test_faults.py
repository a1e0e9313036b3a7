"""A short fault campaign; `make faults` is the long one."""

import re

import pytest

from tests.command import run_module

COUNT = 2


@pytest.mark.timeout(3600)
def test_some_faults() -> None:
    """After each of a few faults, the same in each run, nothing is lost or doubled, and the stack recovers.

    A campaign that leaves faults out does not write docs/faults.md.
    """
    ran = run_module("testbed.faults", "--count", str(COUNT), "--seed", "1")
    print(ran.stdout)
    assert ran.returncode == 0, ran.stderr
    assert len(re.findall(r"^\[\d of \d\] .* ok$", ran.stdout, re.MULTILINE)) == COUNT
    assert "docs/faults.md stays as it is" in ran.stdout
    assert "saw 0 doubles or falling counts" in ran.stdout
    assert int(re.search(r"a reader got ([\d,]+) answers", ran.stdout)[1].replace(",", "")) > COUNT
