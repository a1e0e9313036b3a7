"""Facts that must stand in two places stand there equally."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from game_events import EVENT_TYPES, reference
from testbed.simulator.scenario import ACKNOWLEDGED, ROWS, SCENARIO
from testbed.versions import versions

from tests.poison import SWORD

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("file", ["requirements/testbed.txt", "requirements/dev.txt", "requirements/spark.txt"])
def test_spark_is_one_version(file: str) -> None:
    """PyPI's pyspark is the version that the jars beside it are for."""
    assert re.search(r"^pyspark==(\S+)", (ROOT / file).read_text(), re.MULTILINE)[1] == versions()["SPARK_VERSION"]  # type: ignore[index]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert f"pyspark=={versions()['SPARK_VERSION']}" in groups["spark"]


def test_pins_agree() -> None:
    """A package that several requirements files pin is pinned alike in all of them."""
    pins: dict[str, set[frozenset[str]]] = {}
    for file in ROOT.glob("requirements/*.txt"):
        here: dict[str, set[str]] = {}
        for name, version in re.findall(r"^([\w.-]+)==(\S+)", file.read_text(), re.MULTILINE):
            here.setdefault(name, set()).add(version)
        for name, versions_here in here.items():
            pins.setdefault(name, set()).add(frozenset(versions_here))
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


def test_requirements_are_hashed_and_name_no_index() -> None:
    """Every requirement is pinned by hash, and no file says where it was downloaded from."""
    for file in ROOT.glob("requirements/*.txt"):
        text = file.read_text()
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")


@pytest.mark.parametrize(
    "pom",
    sorted([*ROOT.glob("images/*/pom.xml"), *ROOT.glob("hack/testbed/**/pom.xml")]),
    ids=lambda path: path.parent.name,
)
def test_poms_take_their_versions_from_one_place(pom: Path) -> None:
    """A pom states no version of its own: each is a variable of hack/versions.env."""
    stated = re.findall(r"<version>([^<]+)</version>", pom.read_text())[1:]
    assert stated
    assert {re.sub(r"^\$\{env\.(\w+)\}$", r"\1", version) for version in stated} <= versions().keys()


def test_the_scenario_adds_up() -> None:
    """What the demo expects is what its scenario, played on the API's actions, makes."""
    paths = {event_type.request for event_type in EVENT_TYPES.values()}
    assert sum(r.times for r in SCENARIO if r.status == 200) == ACKNOWLEDGED == sum(ROWS.values())
    assert all((r.path in paths) == (r.status == 200) for r in SCENARIO)


def test_the_readme_shows_what_is_there() -> None:
    """The README's event is the example of its type."""
    readme = (ROOT / "README.md").read_text()
    [shown] = re.findall(r"```json\n(.*?)```", readme, re.DOTALL)
    assert json.loads(shown) == SWORD


def test_the_reference_is_of_today() -> None:
    """docs/game.md says what the catalog says: `make contract` writes it anew."""
    assert (ROOT / "docs/game.md").read_text() == reference.document()


def test_the_readme_names_only_targets_that_exist() -> None:
    """Every `make` target that the README names is one of the Makefile's."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:\$ |`)make ([a-z]+)", (ROOT / "README.md").read_text()))
    assert named
    assert named <= targets


def test_images_are_built_from_one_base() -> None:
    """Debian's image is named in the base alone; the stages of all other images begin with a target of the base."""
    files = {path.parent.name: path.read_text() for path in ROOT.glob("images/*/Dockerfile")}
    assert set(re.findall(r"^FROM .* AS (\w+)$", files.pop("base"), re.MULTILINE)) == {"runtime", "java", "tools"}
    assert len(files) == 8
    for name, file in files.items():
        origins = set(re.findall(r"^FROM (\S+)", file, re.MULTILINE))
        assert origins <= {"${BASE}", "${BASE}-java", "${BASE}-tools", "runtime"}, name


def test_images_take_their_versions_from_one_place() -> None:
    """A build argument has no default: its value is in hack/versions.env, or is the base that was built before."""
    arguments = {
        name
        for path in ROOT.glob("images/*/Dockerfile")
        for line in re.findall(r"^ARG (.*)$", path.read_text(), re.MULTILINE)
        for name in line.split()
    }
    assert arguments
    assert arguments - {"BASE"} <= versions().keys()
