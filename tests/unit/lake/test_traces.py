"""What the search for a player's traces reads of Iceberg's manifests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lake.erasure.players import Players
from lake.erasure.traces import TRUNCATED, _entries, search
from pyspark.sql import SparkSession


@pytest.fixture(scope="module")
def table(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of an Iceberg table with ada's file, which a later snapshot deleted, and grace's."""
    warehouse = tmp_path_factory.mktemp("warehouse")
    catalog = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".type": "hadoop",
        ".warehouse": f"file:{warehouse}",
    }
    for key, value in catalog.items():
        spark.conf.set(f"spark.sql.catalog.traces{key}", value)
    columns = "player STRING, target STRING, raw_key BINARY, raw_value BINARY, family STRING, gold BIGINT"
    spark.sql(f"CREATE TABLE traces.game.events ({columns}) USING iceberg PARTITIONED BY (family)")
    spark.sql(
        "INSERT INTO traces.game.events VALUES ('ada', NULL, X'00FF7F80', NULL, 'joins', 1), "
        "('grace', NULL, NULL, NULL, 'visits', 2)"
    )
    spark.sql("DELETE FROM traces.game.events WHERE family = 'joins'")
    yield warehouse / "game/events"
    spark.sql("DROP TABLE traces.game.events")


def metadata(table: Path, pattern: str) -> list[Path]:
    found = sorted((table / "metadata").glob(pattern), key=lambda path: path.stat().st_mtime_ns)
    assert len(found) == 2
    return found


def test_a_manifest_is_read_with_its_deleted_entries(spark: SparkSession, table: Path) -> None:
    """The bounds of every data file in a manifest are read, also of one that the manifest records as deleted.

    If this fails after an upgrade of ICEBERG_VERSION: Iceberg's InternalData, SingleValueParser or field ids changed.
    """
    for manifest in metadata(table, "*-m0.avro"):
        entries = {
            path.split("/data/")[1].split("/")[0]: bounds for path, bounds in _entries(spark, f"file:{manifest}")
        }
        of_ada = [b"ada", b"\x00\xff\x7f\x80", b"joins", (1).to_bytes(8, "little")]
        assert entries == {
            "family=joins": 2 * of_ada,
            "family=visits": 2 * [b"grace", b"visits", (2).to_bytes(8, "little")],
        }


def test_a_manifest_list_names_no_data_files(spark: SparkSession, table: Path) -> None:
    """A manifest list is read too, and has no bounds of values."""
    for manifests in metadata(table, "snap-*.avro"):
        assert _entries(spark, f"file:{manifests}") == []


def test_a_name_in_bounds_is_found(spark: SparkSession, table: Path) -> None:
    """A manifest is a trace if a bound may be the player's name, unless its data file is there without the name."""
    folder, manifests = f"file:{table}", {f"file:{manifest}" for manifest in metadata(table, "*-m0.avro")}
    [of_ada] = (table / "data/family=joins").glob("*.parquet")
    content = of_ada.read_bytes()
    assert search(spark, [folder], Players(("ada",))).found.keys() == manifests | {f"file:{of_ada}"}
    assert search(spark, [folder], Players(("joins",))).found == {}
    of_ada.unlink()
    for name in ("ada", "joins"):
        found = search(spark, [folder], Players((name,)))
        assert (found.found.keys(), found.parquet, found.manifests) == (manifests, 1, 4)
    of_ada.write_bytes(content)


@pytest.mark.parametrize("part", ["header", "nothing but the header", "block", "marker"])
def test_a_truncated_manifest_is_named(spark: SparkSession, table: Path, tmp_path: Path, part: str) -> None:
    """A manifest that its writer did not finish is reported: Avro reads no record of it, and no error."""
    content = metadata(table, "*-m0.avro")[0].read_bytes()
    header = content.index(content[-16:]) + 16
    end = {"header": 100, "nothing but the header": header, "block": header + 40, "marker": len(content) - 1}[part]
    cut = tmp_path / "cut-m0.avro"
    cut.write_bytes(content[:end])
    assert search(spark, [f"file:{tmp_path}"], Players(("linus",))).found == {f"file:{cut}": TRUNCATED}


@pytest.mark.parametrize("part", ["all", "block"])
def test_a_damaged_manifest_is_named(spark: SparkSession, table: Path, tmp_path: Path, part: str) -> None:
    """A manifest that cannot be read is reported, since it may name the player."""
    content = metadata(table, "*-m0.avro")[0].read_bytes()
    damaged = tmp_path / "damaged-m0.avro"
    damaged.write_bytes({"all": b"no Avro", "block": content[:-40] + bytes(24) + content[-16:]}[part])
    assert search(spark, [f"file:{tmp_path}"], Players(("linus",))).found == {f"file:{damaged}": "cannot be read"}


def test_an_empty_manifest_list_is_no_trace(spark: SparkSession, table: Path, tmp_path: Path) -> None:
    """A manifest list may have no manifests, as that of an empty table."""
    content = metadata(table, "snap-*.avro")[0].read_bytes()
    (tmp_path / "snap-empty.avro").write_bytes(content[: content.index(content[-16:]) + 16])
    found = search(spark, [f"file:{tmp_path}"], Players(("linus",)))
    assert (found.found, found.manifests) == ({}, 1)
