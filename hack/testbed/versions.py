"""The versions of third-party parts, as `hack/versions.env` has them."""

from testbed.settings import ROOT


def versions() -> dict[str, str]:
    lines = (ROOT / "hack/versions.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
