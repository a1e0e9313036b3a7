"""Erasing players: afterwards no row and no file names them, every offset has a row, and nothing else changes."""

import json
import re
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from game_events.table import COLUMNS, COUNTS
from testbed.clients import webhdfs
from testbed.settings import ROOT
from testbed.stack.hdfs import hdfs_environment
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack, StackError

from tests.local.lake import Lake, Place
from tests.local.traffic import counting, running_stream, swords
from tests.poison import EXAMPLES

PLAYER = 'Lancelot du Lac, dit "le Chevalier à la charrette" \\'
BEGINNINGS = (b"Lancelot du Lac", b"ELAINE of Asto", b"elaine of asto")
"""Of the names: manifests have no more of them, and no encoding changes them."""
SECOND = "ELAINE of Astolat"
OTHER = "Lancelot"
PEACE = json.loads((EXAMPLES / "declare_peace.json").read_text())


def erase(stack: Stack, player: str, *arguments: str) -> str:
    return stack.run(spark_job(stack.settings, "erase", "erase.py", player, *arguments))


def hdfs(stack: Stack, *arguments: str) -> None:
    command = [ROOT / "images/hdfs/run", "dfs", *arguments]
    subprocess.run(command, env=hdfs_environment(stack.settings), check=True, stdout=subprocess.DEVNULL)


def rows(lake: Lake) -> dict[Place, dict[str, Any]]:
    """Every row by its place."""
    names = [column.name for column in COLUMNS if column is not COUNTS]
    dicts = (dict(zip(names, row, strict=True)) for row in lake.rows())
    return {(row["kafka_partition"], row["kafka_offset"]): row for row in dicts}


def values(file: Path) -> bytes:
    """Return the whole content of a Parquet or Avro file, decompressed."""
    if file.suffix == ".parquet":
        return repr(pyarrow.parquet.ParquetFile(file).read().to_pylist()).encode()
    content = file.read_bytes()
    # Blocks end with the file's own marker and begin with two numbers of seven bits a byte.
    _, *blocks, _ = content.split(content[-16:])
    return b"".join(zlib.decompress(_without_number(_without_number(block)), -15) for block in blocks)


def _without_number(data: bytes) -> bytes:
    return data[next(at for at, byte in enumerate(data) if byte < 128) + 1 :]


def files_that_name_a_player(stack: Stack, folder: Path) -> list[Path]:
    """Copy all Parquet files and manifests of the lake, and return those that contain the beginning of a name."""
    folder.mkdir()
    hdfs(stack, "-get", "/lake/events", "/export", str(folder))
    found = [file for file in folder.rglob("*") if file.suffix in (".parquet", ".avro")]
    return [file for file in found if file.stat().st_size and any(one in values(file) for one in BEGINNINGS)]


@pytest.fixture(scope="module")
def theirs(lake: Lake) -> list[Place]:
    """The players' records: events, rejected records under their name and under another's."""
    places = lake.write([*swords(3, player=PLAYER), b"no event"], key=PLAYER.encode())
    places |= lake.write(swords(1, player=SECOND.casefold(), player_name=SECOND), key=SECOND.encode())
    places |= lake.write(
        [
            json.dumps({"player": PLAYER}).encode(),
            json.dumps({"of": PLAYER}, ensure_ascii=False).encode(),
            json.dumps({"player": SECOND}).replace("E", "\\u0045").encode(),
        ]
    )
    return sorted(places)


@pytest.fixture(scope="module")
def declared(lake: Lake) -> list[Place]:
    """Declarations of another player to this one."""
    return sorted(lake.write([json.dumps(PEACE | {"player": OTHER, "target": PLAYER}).encode()]))


@pytest.fixture(scope="module")
def hosted(lake: Lake) -> list[Place]:
    """Events of another player whose Host header is a name of these."""
    return sorted(lake.write(swords(1, player=OTHER, host=f"{SECOND}:5000")))


@pytest.fixture(scope="module")
def files(
    lake: Lake,
    stack: Stack,
    theirs: list[Place],
    declared: list[Place],
    hosted: list[Place],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Path]:
    """Copies of the files that name a player: of the table, also with rows marked as deleted, and of an export."""
    lake.write(swords(3, player=OTHER))
    lake.job("batch.py", "load")
    where = " OR ".join(f"(kafka_partition = {partition} AND kafka_offset = {offset})" for partition, offset in theirs)
    lake.ask(f"UPDATE lake.default.events SET description = 'changed' WHERE {where}")
    lake.job("batch.py", "export")
    lake.job("batch.py", "export", "--player", PLAYER.upper())
    return files_that_name_a_player(stack, tmp_path_factory.mktemp("before") / "lake")


def test_a_copy_for_a_player(
    stack: Stack, theirs: list[Place], declared: list[Place], files: list[Path], tmp_path: Path
) -> None:
    """A player gets each row that names them, in any spelling, and no other player's, as JSON and as Parquet."""
    assert files
    hdfs(stack, "-get", "/export/players", str(tmp_path))
    [json_lines], [parquet] = tmp_path.rglob("*.json"), tmp_path.rglob("*.parquet")
    copied = pyarrow.parquet.ParquetFile(parquet).read().to_pylist()
    places = [(row["kafka_partition"], row["kafka_offset"]) for row in copied]
    # Three events, three rejected records, and a declaration to them.
    assert len(places) == len(set(places)) == 7
    assert set(places) <= {*theirs, *declared}
    assert set(declared) <= set(places)
    assert SECOND.casefold() not in {row["player"] for row in copied}
    lines = [json.loads(line) for line in json_lines.read_text().splitlines()]
    assert [(line["kafka_partition"], line["kafka_offset"]) for line in lines] == places


def test_erased(
    lake: Lake,
    stack: Stack,
    theirs: list[Place],
    declared: list[Place],
    hosted: list[Place],
    files: list[Path],
    tmp_path: Path,
) -> None:
    """Beside the stream and a reader all players' rows are emptied, no file names them, and other rows are kept."""
    others = tmp_path / "others.txt"
    others.write_text(f"# the second one\n{SECOND.title()}\n")
    assert {file.suffix for file in files} == {".parquet", ".avro"}
    # Erasing reads every file of the lake twice: a batch every 5 s adds few.
    with running_stream(stack, lake, trigger=5), counting(lake):
        before = rows(lake)
        printed = erase(stack, PLAYER, "--from-file", str(others), "--grace", "20")
        assert "none names one of the players" in printed
        assert re.search(r"it keeps the players' records until \d{4}-\d\d-\d\d .* retention is [\d.]+ days", printed)
        after = rows(lake)
    assert not files_that_name_a_player(stack, tmp_path / "lake")
    kept = ("received_at", "kafka_partition", "kafka_offset", "kafka_timestamp")
    for place, row in before.items():
        if place in theirs:
            assert after[place] == dict.fromkeys(row) | {name: row[name] for name in kept} | {"family": "erased"}
        elif place in declared:
            assert after[place] == row | {"target": None}
        elif place in hosted:
            assert after[place] == row | {"host": None}
        else:
            assert after[place] == row


def test_a_replay_does_not_restore_the_rows(lake: Lake, theirs: list[Place]) -> None:
    """The players' records, loaded again from Kafka, change nothing."""
    before = lake.rows()
    lake.job("batch.py", "load")
    assert lake.rows() == before


def test_orphan_files(lake: Lake, stack: Stack, files: list[Path], tmp_path: Path) -> None:
    """A file that names the player and belongs to no snapshot is deleted if it is truncated or old enough."""
    whole = next(file for file in files if file.suffix == ".parquet" and BEGINNINGS[0] in values(file))
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole.read_bytes()[:-9])
    hdfs(stack, "-put", str(whole), "/lake/events/data/whole.parquet")
    hdfs(stack, "-put", str(cut), "/lake/events/data/cut.parquet")
    before = lake.rows()
    with pytest.raises(StackError, match=r"/lake/events/data/whole\.parquet: \d+ rows") as refusal:
        erase(stack, PLAYER, "--grace", "0")
    assert "cut.parquet: " not in str(refusal.value)
    erase(stack, PLAYER, "--grace", "0", "--orphan-age", "0")
    assert not {"whole.parquet", "cut.parquet"} & set(webhdfs.names(stack.settings, "/lake/events/data"))
    assert lake.rows() == before


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_an_invalid_name(stack: Stack, name: str) -> None:
    """An empty or overlong name is refused."""
    with pytest.raises(StackError, match="argument PLAYER: expected a name of 1 to 255 characters"):
        erase(stack, name)
