"""`make demo`, as a newcomer runs it."""

from pathlib import Path

from testbed.settings import Ports

from tests.local.test_stack import local, port_settings


def test_demo(tmp_path: Path) -> None:
    """The demo comes to its numbers, shows what it did, and leaves neither servers nor data behind."""
    ports, data = Ports.free(), tmp_path / "data"
    environment = {"GAMELAKE_DATA": str(data), **port_settings(ports)}
    ran = local("demo", **environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for line in (
        "end offset: 1732 (all partitions)",
        '"player":"user2.att.com"',
        ".snappy.parquet",
        "trino> select avg(cast(strength as integer)) from purchases;",
        "  events acknowledged     1,732  as it must be",
        "  rows in purchases       1,210  as it must be",
        "  rows in joins             500  as it must be",
        "  rows in declarations        2  as it must be",
        "  rows in visits             20  as it must be",
        f"http://127.0.0.1:{ports.api}/play",
        f"http://127.0.0.1:{ports.api}/dashboard",
    ):
        assert line in ran.stdout
    assert not data.exists()
    assert " down " in local("status", **environment).stdout
