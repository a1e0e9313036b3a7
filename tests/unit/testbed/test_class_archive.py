"""Class archives, and how the programs are started with them."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from testbed.settings import ROOT
from testbed.stack import class_archive


@pytest.fixture
def jdk(tmp_path: Path) -> Path:
    """A JDK whose `java` prints its arguments."""
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    (home / "release").write_text('JAVA_VERSION="17.0.15"\n')
    return _printing(home / "bin/java").parents[1]


def _printing(program: Path) -> Path:
    program.write_text("#!/usr/bin/env bash\necho $@\n")
    program.chmod(0o755)
    return program


def _run(image: str, *arguments: str, **environment: str) -> list[str]:
    """Run `images/<name>/run`, and return what it would start, a line each."""
    script = ROOT / "images" / image / "run"
    ran = subprocess.run(
        [script, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return ran.stdout.splitlines()


def _kafka(tmp_path: Path, jdk: Path, **environment: str) -> list[str]:
    places = dict.fromkeys(("KAFKA_HOME", "KAFKA_DATA"), str(tmp_path / "kafka"))
    address = {"KAFKA_HOST": "127.0.0.1", "KAFKA_PORT": "9092", "KAFKA_CONTROLLER_PORT": "9093"}
    return _run("kafka", JAVA_HOME=str(jdk), **places, **address, **environment)


def test_an_archive_is_used(tmp_path: Path, jdk: Path) -> None:
    """The broker and its tools use an archive."""
    archive = tmp_path / "classes.jsa"
    archive.touch()
    for line in _kafka(tmp_path, jdk, CLASS_ARCHIVE=str(archive)):
        assert f"-XX:SharedArchiveFile={archive}" in line


@pytest.mark.parametrize("name", ["", "missing.jsa"])
def test_no_archive_is_needed(tmp_path: Path, jdk: Path, name: str) -> None:
    """Without the variable, as in the images, or without the file, the broker starts without an archive."""
    archive = str(tmp_path / name) if name else ""
    assert not [line for line in _kafka(tmp_path, jdk, CLASS_ARCHIVE=archive) if "Archive" in line]


def test_a_cluster_gets_an_id(tmp_path: Path, jdk: Path) -> None:
    """Each new cluster gets an id of its own, in the form of Kafka's: 16 bytes in Base64, no dash first."""
    ids = [re.search(r"--cluster-id (\S+)$", _kafka(tmp_path, jdk)[0])[1] for _ in range(2)]
    assert len(set(ids)) == 2
    for one in ids:
        assert re.fullmatch(r"[A-Za-z0-9]{21}[AQgw]", one)


def test_a_job_uses_an_archive(tmp_path: Path) -> None:
    """A Spark job uses an archive, and starts without it if it does not exist."""
    _printing(tmp_path / "spark-submit")
    archive = tmp_path / "classes.jsa"
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    folders = dict.fromkeys(("SPARK_JARS", "HADOOP_CONF_DIR"), str(tmp_path))
    variables = {"PATH": path, **folders, "CLASS_ARCHIVE": str(archive)}
    [without] = _run("spark", "tables.py", **variables)
    assert "Archive" not in without
    archive.touch()
    [line] = _run("spark", "tables.py", **variables)
    assert f"-XX:SharedArchiveFile={archive}" in line


def test_each_jdk_and_each_set_of_jars_has_its_own(tmp_path: Path, jdk: Path) -> None:
    """Another build of the JDK or replaced jars mean another archive; otherwise it stays the same."""
    jars = tmp_path / "jars"
    jars.mkdir()

    def name() -> str:
        return class_archive.setting(tmp_path, str(jdk), jars)[class_archive.VARIABLE]

    first = name()
    assert name() == first
    os.utime(jars, (0, 0))
    second = name()
    (jdk / "release").write_text('JAVA_VERSION="17.0.16"\n')
    assert len({first, second, name()}) == 3
