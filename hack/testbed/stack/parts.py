"""Third-party software: downloaded into the cache by its recipe `fetch`, once for each version."""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from testbed.settings import ROOT, Settings, SettingsError
from testbed.versions import versions

PARTS = ("kafka", "hdfs", "hive-metastore", "spark", "trino")
"""Those of the stack, whose recipes are in `images`. The peers of the benchmarks have theirs in `bench`."""


def path(settings: Settings, name: str) -> Path:
    """Return the folder of a part; its name has a hash of the recipe and the versions, so a change fetches it again."""
    images, recipe_of = ROOT / "images", _recipe(name)
    shared = [images / script for script in ("maven", "fetch-jars", "fetch-artifact")]
    own = [recipe_of / "fetch", recipe_of / "pom.xml"]
    recipe = "".join(script.read_text() for script in (*shared, *own) if script.exists())
    recipe += "".join(f"\n{name}={version}" for name, version in versions().items() if name in recipe)
    return settings.cache / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def _recipe(name: str) -> Path:
    return (ROOT / "images" if name in PARTS else ROOT / "hack/testbed/bench") / name


def fetch_missing(settings: Settings, names: tuple[str, ...] = PARTS) -> None:
    """Fetch the parts that are missing from the cache, and print progress; a part that fails leaves nothing behind."""
    missing = [name for name in names if not path(settings, name).exists()]
    if not missing:
        return
    if not shutil.which("mvn"):
        raise SettingsError(
            "mvn: expected Maven on the PATH, to download the servers' jars, got none. Install it: apt install maven"
        )
    settings.cache.mkdir(parents=True, exist_ok=True)
    with (settings.cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for position, name in enumerate(missing, 1):
            if not path(settings, name).exists():
                _fetch(path(settings, name), name, f"fetching {name} ({position} of {len(missing)})")


def _fetch(target: Path, name: str, what: str) -> None:
    print(f"{what} …", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{name}-") as folder:
        partial = Path(folder) / "part"
        partial.mkdir()
        fetching = subprocess.Popen([_recipe(name) / "fetch", partial], stdin=subprocess.DEVNULL)
        try:
            while (code := _wait(fetching, 15)) is None:
                print(f"{what}: {time.monotonic() - started:.0f} s …", flush=True)
        finally:
            fetching.terminate()
        if code:
            raise SettingsError(
                f"{(_recipe(name) / 'fetch').relative_to(ROOT)}: failed with exit code {code}; see the messages above"
            )
        partial.rename(target)
    print(f"{what}: {_megabytes(target)} MB in {time.monotonic() - started:.0f} s", flush=True)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _megabytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) // 1_000_000
