"""The versions of third-party software, read from hack/versions.env."""

from testbed.settings import ROOT


def versions() -> dict[str, str]:
    """Return each variable of hack/versions.env with its value, in the order of the file."""
    lines = (ROOT / "hack/versions.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
