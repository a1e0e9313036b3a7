"""Third-party parts: what `images/<name>/fetch` downloads, once, into the cache."""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from testbed.settings import ROOT, Settings, SettingsError

PARTS = ("kafka", "hdfs", "hive-metastore", "spark", "trino")


def path(settings: Settings, name: str) -> Path:
    """Where a part lies: its name tells its recipe and versions apart, so that only a changed one is fetched anew."""
    folder = ROOT / "images"
    scripts = [folder / "fetch-jars", folder / "fetch-artifact", folder / name / "fetch", folder / name / "pom.xml"]
    recipe = "".join(script.read_text() for script in scripts if script.exists())
    versions = (ROOT / "hack/versions.env").read_text().splitlines()
    recipe += "\n".join(line for line in versions if line.split("=")[0] in recipe)
    return settings.cache / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def fetch_missing(settings: Settings, names: tuple[str, ...] = PARTS) -> None:
    """Fetch the parts that are not in the cache, saying so as it goes; whole or not at all."""
    missing = [name for name in names if not path(settings, name).exists()]
    if not missing:
        return
    if not shutil.which("mvn"):
        raise SettingsError(
            "mvn: Maven is needed to fetch the servers' jars and is not on the PATH. Install it (apt install maven)"
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
        fetching = subprocess.Popen([ROOT / "images" / name / "fetch", partial], stdin=subprocess.DEVNULL)
        try:
            while (code := _wait(fetching, 15)) is None:
                print(f"{what}: {time.monotonic() - started:.0f} s …", flush=True)
        finally:
            fetching.terminate()
        if code:
            raise SettingsError(f"images/{name}/fetch: could not fetch; see the messages above")
        partial.rename(target)
    print(f"{what}: {_megabytes(target)} MB in {time.monotonic() - started:.0f} s", flush=True)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _megabytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) // 1_000_000
