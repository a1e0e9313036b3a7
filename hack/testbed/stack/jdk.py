"""The JDKs of this machine."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from testbed.settings import SettingsError

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
    raise SettingsError(
        f"JAVA_HOME: {purpose} needs a JDK {wanted}; found {found}. "
        "Install one, or name it in JAVA_HOME or TRINO_JAVA_HOME"
    )


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
