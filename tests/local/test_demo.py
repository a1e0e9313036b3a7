"""`make demo` on a fresh checkout."""

from pathlib import Path

import pytest
from testbed.settings import HOST, Ports

from tests.command import port_settings, run_testbed

pytestmark = pytest.mark.lake


def test_demo(tmp_path: Path) -> None:
    """The demo prints the expected numbers, and leaves neither servers nor data behind."""
    ports, data = Ports.free(), tmp_path / "data"
    variables = {"GAMELAKE_DATA": str(data), **port_settings(ports)}
    ran = run_testbed("demo", **variables)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for line in (
        "end offset: 1732 (all partitions)",
        '"player":"user2.att.com"',
        ".snappy.parquet",
        "trino> select avg(cast(strength as integer)) from purchases;",
        "  events acknowledged     1,732  ok",
        "  rows in purchases       1,210  ok",
        "  rows in joins             500  ok",
        "  rows in declarations        2  ok",
        "  rows in visits             20  ok",
        f"http://{HOST}:{ports.api}/play",
        f"http://{HOST}:{ports.api_admin}/dashboard",
    ):
        assert line in ran.stdout
    assert not data.exists()
    assert " down " in run_testbed("status", **variables).stdout
