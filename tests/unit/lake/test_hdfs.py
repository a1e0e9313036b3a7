"""Files of the lake, on the local file system."""

from datetime import UTC, datetime
from pathlib import Path

from lake.hdfs import Files
from pyspark.sql import SparkSession


def test_a_folder_is_listed_with_or_without_its_folders(spark: SparkSession, tmp_path: Path) -> None:
    """`names` lists one level, `under` the files of all levels with their size; a missing folder has neither."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below/file").write_bytes(b"123")
    (tmp_path / "empty").touch()
    files = Files(spark)
    assert sorted(files.names(f"file:{tmp_path}")) == ["below", "empty"]
    found = {file.path: file.size for file in files.under(f"file:{tmp_path}")}
    assert found == {f"file:{tmp_path}/below/file": 3, f"file:{tmp_path}/empty": 0}
    assert files.names(f"file:{tmp_path}/missing") == list(files.under(f"file:{tmp_path}/missing")) == []


def test_a_modification_time_is_set(spark: SparkSession, tmp_path: Path) -> None:
    """A time is kept to the millisecond, also 1970."""
    files, path = Files(spark), f"file:{tmp_path}/file"
    files.create(path)
    for moment in (datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)):
        files.set_modified(path, moment)
        assert files.modified(path) == moment
        assert [file.modified for file in files.under(f"file:{tmp_path}")] == [moment]


def test_a_file_is_read_and_deleted(spark: SparkSession, tmp_path: Path) -> None:
    """A file is read whole or from its end; a folder is deleted with its files, and a missing one is no error."""
    files, folder = Files(spark), f"file:{tmp_path}/folder"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_bytes(b"\x00beginning and end")
    assert files.read(f"{folder}/file") == b"\x00beginning and end"
    assert files.end(f"{folder}/file", 3) == b"end"
    for _ in range(2):
        files.delete(folder)
        assert not files.exists(folder)
