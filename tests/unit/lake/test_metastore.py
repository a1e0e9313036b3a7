"""What restoring does to the catalog, with a metastore of dicts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from lake import metastore
from lake.settings import FILE_SYSTEM
from pyspark.sql import SparkSession

SPARK = cast(SparkSession, None)
HIVE = "org.apache.iceberg.hive"
URI = "thrift://metastore:9083"
PRESENT, LOST = f"{FILE_SYSTEM}/present.json", f"{FILE_SYSTEM}/lost.json"


class Parameters(dict[str, str]):
    """A table's, as a Java map."""

    put = dict.__setitem__


class Client:
    """The part of HiveMetaStoreClient that is used; `tables` has the parameters of each table."""

    def __init__(self, tables: Mapping[str, Parameters]) -> None:
        self.tables = dict(tables)

    def tableExists(self, _: str, name: str) -> bool:  # noqa: N802 Java's name
        return name in self.tables

    def getTable(self, _: str, name: str) -> Any:  # noqa: N802, ANN401 Java's
        parameters = Parameters(self.tables[name])
        return SimpleNamespace(getParameters=lambda: parameters)

    def alterTable(self, client: "Client", _: str, name: str, changed: Any) -> None:  # noqa: N802, ANN401 Java's
        """Iceberg's own way, a static method."""
        assert client is self
        self.tables[name] = changed.getParameters()

    def dropTable(self, _: str, name: str, deletes: bool, ignores: bool) -> None:  # noqa: N802 Java's name
        assert (deletes, ignores) == (False, True)
        self.tables.pop(name, None)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """A metastore with a table of Iceberg, one whose metadata is lost, one of another file system, and one of Hive."""
    places = {"present": PRESENT, "lost": LOST, "elsewhere": "s3://bucket/lost.json"}
    tables = {name: Parameters(metadata_location=place) for name, place in places.items()}
    one = Client({**tables, "hive": Parameters(EXTERNAL="TRUE")})

    @contextmanager
    def connected(_: SparkSession, uri: str) -> Iterator[Client]:
        assert uri == URI
        yield one

    monkeypatch.setattr(metastore, "metastore", connected)
    monkeypatch.setattr(metastore, "java_class", lambda _, name: {f"{HIVE}.MetastoreUtil": one}[name])
    monkeypatch.setattr(metastore, "Files", lambda _: SimpleNamespace(exists=lambda path: path == PRESENT))
    return one


def test_only_a_table_whose_metadata_is_lost_is_forgotten(client: Client) -> None:
    """One whose metadata is there or elsewhere stays, as one that is not Iceberg's does; none need exist."""
    for name in (*client.tables, "missing"):
        metastore.forget_lost(SPARK, URI, f"lake.default.{name}")
    assert client.tables.keys() == {"present", "elsewhere", "hive"}


def test_a_table_gets_other_metadata_in_one_step(client: Client) -> None:
    """It is never missing, whatever its present metadata is, and keeps what else the catalog knows of it."""
    for name in ("present", "lost"):
        client.tables[name]["comment"] = "kept"
        assert metastore.repoint(SPARK, URI, f"lake.default.{name}", "hdfs://lake/new.json")
        assert client.tables[name] == {"metadata_location": "hdfs://lake/new.json", "comment": "kept"}


def test_no_other_table_gets_metadata(client: Client) -> None:
    """One that does not exist is to be registered, and one that is not Iceberg's is left alone."""
    for name in ("missing", "hive"):
        assert not metastore.repoint(SPARK, URI, f"lake.default.{name}", "hdfs://lake/new.json")
    assert client.tables["hive"] == {"EXTERNAL": "TRUE"}
    assert "missing" not in client.tables
