"""Facts that have to be stated in two places agree."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from game_api.v1.problems import PROBLEMS
from game_events import EVENT_TYPES, reference
from testbed.simulator.scenario import ACKNOWLEDGED, ROWS, SCENARIO
from testbed.versions import versions

from tests.poison import SWORD

ROOT = Path(__file__).parents[2]
DOCKERFILES = [*ROOT.glob("images/*/Dockerfile"), ROOT / "hack/testbed/cluster/operators/standins/Dockerfile"]


@pytest.mark.parametrize("file", ["requirements/testbed.txt", "requirements/dev.txt", "requirements/spark.txt"])
def test_spark_is_one_version(file: str) -> None:
    """PyPI's pyspark has the version of the jars that it runs with."""
    assert re.search(r"^pyspark==(\S+)", (ROOT / file).read_text(), re.MULTILINE)[1] == versions()["SPARK_VERSION"]  # type: ignore[index]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert f"pyspark=={versions()['SPARK_VERSION']}" in groups["spark"]


def test_pins_agree() -> None:
    """A package that several requirements files pin has the same version in all of them, but for dbt's own venv."""
    pins: dict[str, set[frozenset[str]]] = {}
    for file in {*ROOT.glob("requirements/*.txt")} - {ROOT / "requirements/models.txt"}:
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
    """A pom contains no version: each is a variable of hack/versions.env."""
    stated = re.findall(r"<version>([^<]+)</version>", pom.read_text())[1:]
    assert stated
    assert {re.sub(r"^\$\{env\.(\w+)\}$", r"\1", version) for version in stated} <= versions().keys()


def test_the_scenario_adds_up() -> None:
    """The numbers that the demo expects follow from the requests of its scenario."""
    paths = {event_type.request for event_type in EVENT_TYPES.values()}
    assert sum(r.times for r in SCENARIO if r.status == 200) == ACKNOWLEDGED == sum(ROWS.values())
    assert all((r.path in paths) == (r.status == 200) for r in SCENARIO)


def test_the_documented_event_is_the_example() -> None:
    """The event that docs/sdk.md shows is the example of its type."""
    [shown] = re.findall(r"```json\n(.*?)```", (ROOT / "docs/sdk.md").read_text(), re.DOTALL)
    assert json.loads(shown) == SWORD


def test_the_documented_problems_are_those_of_the_api() -> None:
    """docs/sdk.md lists every type of problem with its status and title, in the order of the table in code."""
    listed = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \| (.+) \|$", (ROOT / "docs/sdk.md").read_text(), re.MULTILINE)
    assert listed == [(kind, str(problem.status), problem.title) for kind, problem in PROBLEMS.items()]


def test_the_game_page_is_up_to_date() -> None:
    """docs/game.md is what the catalog generates; `make contract` writes it."""
    assert (ROOT / "docs/game.md").read_text() == reference.document()


def test_images_are_built_from_one_base() -> None:
    """Debian's image is named in the base alone; the stages of all other images begin with a target of the base."""
    files = {path.parent.name: path.read_text() for path in DOCKERFILES}
    assert set(re.findall(r"^FROM .* AS (\w+)$", files.pop("base"), re.MULTILINE)) == {"runtime", "java", "tools"}
    assert len(files) == 9
    for name, file in files.items():
        origins = set(re.findall(r"^FROM (\S+)", file, re.MULTILINE))
        targets = {"${BASE}", "${BASE}-java", "${BASE}-tools", "runtime"}
        # The stand-ins submit jobs with that image's spark-submit.
        assert origins - ({"${SPARK_IMAGE}"} if name == "standins" else set()) <= targets, name


def test_images_take_their_versions_from_one_place() -> None:
    """A build argument has no default: its value is in hack/versions.env, or is an image that was built before."""
    arguments = {
        name
        for path in DOCKERFILES
        for line in re.findall(r"^ARG (.*)$", path.read_text(), re.MULTILINE)
        for name in line.split()
    }
    assert arguments
    assert arguments - {"BASE", "SPARK_IMAGE"} <= versions().keys()
