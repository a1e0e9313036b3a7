"""The scripts that build, scan and sign images: which commands they call."""

import os
import subprocess
from pathlib import Path

import pytest
from testbed.versions import versions

from tests.command import environment, run

REPOSITORY = "registry.example.com/team/gamelake"
DIGEST = f"{REPOSITORY}/api@sha256:0123"
UPGRADABLE = "openssl/stable-security 3.5.4-1~deb13u2 amd64 [upgradable from: 3.5.1-1]"


class Commands:
    """A folder of commands, first on the PATH, and what was called."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._calls = folder, folder / "calls"
        self._calls.touch()

    def add(self, name: str, script: str = "") -> None:
        file = self._folder / name
        file.write_text(f'#!/bin/bash\necho "{name} $*" >> {self._calls}\n{script}\n')
        file.chmod(0o755)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        variables = {"IMAGE_REGISTRY": "registry.example.com/team/", "IMAGE_TAG": "7"}
        return run(command, environment(PATH=f"{self._folder}:{os.environ['PATH']}", **variables), timeout=60)

    def calls(self, name: str) -> list[str]:
        return [call for call in self._calls.read_text().splitlines() if call.startswith(f"{name} ")]


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(tmp_path)


@pytest.mark.parametrize("fresh", [["--fresh"], []])
def test_the_base_is_built_from_the_named_image(commands: Commands, fresh: list[str]) -> None:
    """The base image of hack/versions.env is pulled if it is missing; `--fresh` rebuilds what comes from Debian."""
    commands.add("docker", '[[ $* != "image inspect "* ]]')
    built = commands.run("hack/build-images", *fresh, "api")
    assert built.returncode == 0, built.stderr
    calls = commands.calls("docker")
    assert f"docker pull --quiet {versions()['DEBIAN_IMAGE']}" in calls
    builds = [call for call in calls if call.startswith("docker build ")]
    assert [call.split("--tag ")[1].split()[0] for call in builds] == [
        *(f"{REPOSITORY}/base:7{target}" for target in ("", "-java", "-tools")),
        f"{REPOSITORY}/api:7",
    ]
    assert all("--build-arg=DEBIAN_IMAGE" in call for call in builds[:3])
    assert ["--no-cache" in call for call in builds] == [bool(fresh), False, bool(fresh), False]


@pytest.mark.parametrize("newer", [UPGRADABLE, ""])
def test_without_grype_the_images_own_apt_is_asked(commands: Commands, newer: str) -> None:
    """A newer package of Debian fails the scan, which reports it under its image, and prints what it leaves out."""
    commands.add("docker", f"[[ '{newer}' == '' ]] || {{ echo '{newer}'; exit 1; }}")
    scanned = commands.run("hack/scan-images", "api")
    assert scanned.returncode == bool(newer)
    assert "jars and Python packages are not looked up" in scanned.stdout
    assert scanned.stdout.endswith(f"{REPOSITORY}/api:7\n{newer}".rstrip() + "\n")
    assert (
        f"1 of 1 images have what is listed above, or were not scanned: {REPOSITORY}/api:7" in scanned.stderr
    ) == bool(newer)


def test_grype_scans_the_sboms(commands: Commands) -> None:
    """Grype gets the SBOM of each image; a vulnerability in one of them fails the scan, but not before the others."""
    commands.add("docker", 'echo "$*"')
    commands.add("grype", 'grep --quiet kafka "${!#/#sbom:}" && exit 2; exit 0')
    scanned = commands.run("hack/scan-images")
    assert scanned.returncode == 1
    assert "1 of 8 images" in scanned.stderr
    assert len(commands.calls("grype")) == 8
    assert all("--only-fixed" in call for call in commands.calls("grype"))


def test_images_are_signed_by_the_digest_of_their_registry(commands: Commands) -> None:
    """Each image is signed by its digest, never by its tag, and its SBOM is attested with the same options."""
    image = r"${!#}"
    commands.add(
        "docker", f'image={image}; [[ $1 == run ]] || echo "other.example.com/a@sha256:9\n${{image%:*}}@sha256:0123"'
    )
    commands.add("cosign")
    signed = commands.run("hack/sign-images", "--key", "cosign.key")
    assert signed.returncode == 0, signed.stderr
    calls = commands.calls("cosign")
    assert calls[0] == f"cosign sign --yes --key cosign.key {DIGEST}"
    assert calls[1].startswith("cosign attest --yes --type cyclonedx --predicate ")
    assert calls[1].endswith(f"/api.cdx.json --key cosign.key {DIGEST}")
    assert len(calls) == 16


def test_an_image_that_was_not_pushed_is_not_signed(commands: Commands) -> None:
    """An image without a digest of the registry stops the script, which names it."""
    commands.add("docker")
    commands.add("cosign")
    signed = commands.run("hack/sign-images", "--key", "cosign.key")
    assert signed.returncode == 1
    assert f"{REPOSITORY}/api:7: expected an image that was pushed" in signed.stderr
    assert commands.calls("cosign") == []
