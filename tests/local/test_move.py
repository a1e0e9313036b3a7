"""A lake of an older version, whose paths name the NameNode's host and port, is moved to `hdfs://lake`."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from lake.settings import FILE_SYSTEM
from testbed.settings import HOST, Ports, Settings
from testbed.stack.stack import Stack, StackError
from testbed.waiting import wait_until
from trino.exceptions import TrinoQueryError

from tests.local.lake import Lake
from tests.poison import EXAMPLES

SERVERS = ("kafka", "namenode", "datanode", "metastore", "trino")


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The servers that a lake needs, without its tables."""
    one = Stack(Settings.isolated(tmp_path_factory.mktemp("old")))
    try:
        one.up(SERVERS)
        yield one
    finally:
        one.down()


def paths(lake: Lake) -> set[str]:
    """The file system of every path in the tables' metadata."""
    found = set()
    for table in ("events", "rollups"):
        for column, kind in (
            ("file_path", "files"),
            ("file_path", "all_entries"),
            ("path", "manifests"),
            ("manifest_list", "snapshots"),
            ("file", "metadata_log_entries"),
        ):
            source = f'lake.default."{table}${kind}"'
            column = "data_file.file_path" if kind == "all_entries" else column
            found |= {path for [path] in lake.ask(f"SELECT {column} FROM {source}")}
        [[created]] = lake.ask(f"SHOW CREATE TABLE lake.default.{table}")
        found.add(created.split("location = '")[1].split("'")[0])
    return {"/".join(path.split("/")[:3]) for path in found}


def locations(lake: Lake) -> set[str]:
    """The file systems of a schema and of a plain table in it."""
    found = [lake.ask(f"SHOW CREATE {one}")[0][0] for one in ("SCHEMA hive.export", "TABLE hive.export.joins")]
    return {"/".join(text.split("location = '")[1].split("/")[:3]) for text in found}


def has_a_node(lake: Lake) -> bool:
    """Whether Trino reads the table, which on a busy machine is some seconds after it answers."""
    try:
        return bool(lake.ask("SELECT count(*) FROM lake.default.events"))
    except TrinoQueryError:
        return False


def test_a_lake_with_old_paths(stack: Stack) -> None:
    """Moved, all rows are read, also with the NameNode at another port; then rows are written, and files deleted."""
    namenode = f"hdfs://{HOST}:{stack.settings.ports.namenode}"
    lake = Lake(stack)
    lake.job("../tests/local/jobs/old_table.py", namenode)
    for _ in range(2):
        lake.write([path.read_bytes() for path in sorted(EXAMPLES.glob("*.json"))])
        lake.job("batch.py", "load")
    wait_until("a node of Trino", lambda: has_a_node(lake))
    # Rows that are only marked as deleted: the mark names their file.
    lake.ask("DELETE FROM lake.default.events WHERE kafka_partition = 0 AND kafka_offset = 0")
    rows = lake.rows()
    assert paths(lake) == locations(lake) == {namenode}
    with pytest.raises(StackError, match=r"run tables\.py --move"):
        lake.job("erase.py", "--grace=0", "nobody")

    lake.job("tables.py", "--move")
    assert lake.rows() == rows
    assert paths(lake) == locations(lake) == {FILE_SYSTEM}

    stack.down()
    elsewhere = Stack(replace(stack.settings, ports=replace(stack.settings.ports, namenode=Ports.free().namenode)))
    try:
        elsewhere.up(SERVERS)
        lake = Lake(elsewhere)
        wait_until("a node of Trino", lambda: has_a_node(lake))
        assert lake.rows() == rows
        lake.write([(EXAMPLES / "default.json").read_bytes()])
        lake.job("batch.py", "load")
        lake.job("maintain.py")
        lake.job("erase.py", "--grace=0", "--orphan-age=0", "nobody")
        assert len(lake.rows()) == len(rows) + 1
        assert [row for row in rows if row not in lake.rows()] == []
        assert paths(lake) == {FILE_SYSTEM}
    finally:
        elsewhere.down()
