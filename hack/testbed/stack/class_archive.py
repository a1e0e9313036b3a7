"""Class archives: a JVM that starts with one does not read, parse and verify its classes again.

`images/<name>/run` uses an archive that exists. The tests make them, because they start each program many times.
"""

import hashlib
from pathlib import Path

VARIABLE = "CLASS_ARCHIVE"


def setting(folder: Path, java_home: str, *jars: Path) -> dict[str, str]:
    """Return the variable that names the archive in `folder`; the name changes with the JDK and the folders of `jars`.

    A JVM of another build, or with jars that were replaced, would not use it.
    """
    release = Path(java_home, "release").read_text()
    identity = [java_home, release, *((str(jar), jar.exists() and jar.stat().st_mtime_ns) for jar in jars)]
    name = f"classes-{hashlib.sha256(repr(identity).encode()).hexdigest()[:12]}.jsa"
    return {VARIABLE: str(folder / name)}
