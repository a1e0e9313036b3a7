"""What Maven downloads is held to hack/checksums.sha256."""

import shutil
import subprocess
from pathlib import Path

import pytest
from testbed.versions import versions

from tests.command import environment, run

VERSION = versions()["COMMONS_POOL2_VERSION"]
JAR = f"org.apache.commons:commons-pool2:{VERSION}"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a local repository of Maven's: what it lacks is in that of this machine."""
    if not shutil.which("mvn"):
        pytest.skip("mvn is not on the PATH")
    return tmp_path / "repository"


def fetch(artifact: str, repository: Path, target: Path) -> subprocess.CompletedProcess[str]:
    options = f"-Dmaven.repo.local={repository} -Dmaven.repo.local.tail={Path.home() / '.m2/repository'}"
    command = ["images/fetch-artifact", artifact, str(target)]
    return run(command, environment(MAVEN_ARGS=options), errors=subprocess.STDOUT, timeout=600)


def put(repository: Path, folder: str, name: str) -> None:
    (repository / folder).mkdir(parents=True)
    (repository / folder / name).write_bytes(b"another content")


def test_a_jar_with_another_content_is_refused(repository: Path, tmp_path: Path) -> None:
    """A jar whose content is not the recorded one is not copied, and the error names the jar and both checksums."""
    put(repository, f"org/apache/commons/commons-pool2/{VERSION}", f"commons-pool2-{VERSION}.jar")
    fetched = fetch(JAR, repository, tmp_path / "jars")
    assert fetched.returncode
    assert f"Artifact org.apache.commons:commons-pool2:jar:{VERSION} trusted checksum mismatch" in fetched.stdout
    assert list((tmp_path / "jars").glob("*")) == []


def test_a_jar_without_a_checksum_is_refused(repository: Path, tmp_path: Path) -> None:
    """A jar that is not in the list is not copied, and the error names the command that records it."""
    put(repository, "gamelake/unknown/1", "unknown-1.jar")
    fetched = fetch("gamelake:unknown:1", repository, tmp_path / "jars")
    assert fetched.returncode
    assert (
        "Missing from summaryFile trusted checksum(s) [SHA-256] for artifact gamelake:unknown:jar:1" in fetched.stdout
    )
    assert "hack/update-checksums" in fetched.stdout
    assert list((tmp_path / "jars").glob("*")) == []


def test_a_jar_with_the_recorded_content_is_copied(repository: Path, tmp_path: Path) -> None:
    """A jar that is what was recorded is copied."""
    fetched = fetch(JAR, repository, tmp_path / "jars")
    assert fetched.returncode == 0, fetched.stdout
    assert [path.name for path in (tmp_path / "jars").iterdir()] == [f"commons-pool2-{VERSION}.jar"]
