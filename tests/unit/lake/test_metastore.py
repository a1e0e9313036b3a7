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
URI = "thrift://metastore:9083"
PRESENT, LOST = f"{FILE_SYSTEM}/present.json", f"{FILE_SYSTEM}/lost.json"


class Parameters(dict[str, str]):
    """A table's, as Java's maps: what is not there is None."""

    def __missing__(self, name: str) -> None:
        return None


class Client:
    """The part of HiveMetaStoreClient that is used; `tables` has the parameters of each table."""

    def __init__(self, tables: Mapping[str, Parameters]) -> None:
        self.tables = dict(tables)

    def tableExists(self, _: str, name: str) -> bool:  # noqa: N802 Java's name
        return name in self.tables

    def getTable(self, _: str, name: str) -> Any:  # noqa: N802, ANN401 Java's
        return SimpleNamespace(getParameters=lambda: self.tables[name])

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
    monkeypatch.setattr(metastore, "Files", lambda _: SimpleNamespace(exists=lambda path: path == PRESENT))
    return one


def test_only_a_table_whose_metadata_is_lost_is_forgotten(client: Client) -> None:
    """One whose metadata is there or elsewhere stays, as one that is not Iceberg's does; none need exist."""
    for name in (*client.tables, "missing"):
        metastore.forget(SPARK, URI, f"lake.default.{name}", if_lost=True)
    assert client.tables.keys() == {"present", "elsewhere", "hive"}
