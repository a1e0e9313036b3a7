"""Who imports whom: arrows between packages point down only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.settings import ROOT

LAYERS = [
    ["game_client", "game_events", "game_settings"],
    ["game_kafka", "game_trino"],
    ["game_secrets", "game_world"],
    ["game_api", "lake"],
    ["spark-apps"],
    ["testbed.command_line", "testbed.percentile", "testbed.settings", "testbed.waiting"],
    ["testbed.clients", "testbed.versions"],
    ["testbed.devices", "testbed.results", "testbed.simulator", "testbed.stack"],
    ["testbed.audit"],
    ["testbed.cluster"],
    ["testbed.bench", "testbed.course", "testbed.demo", "testbed.faults"],
    ["testbed.__main__", "testbed.kind"],
    ["tests"],
]
"""From the lowest up. A package imports only itself and packages of lower layers."""

RANK = {package: rank for rank, packages in enumerate(LAYERS) for package in packages}


def package_of(module: str) -> str | None:
    """Return the package of the layers that a module belongs to; None for one of others."""
    return next((package for package in RANK if f"{module}.".startswith(f"{package}.")), None)


def modules() -> Iterator[tuple[Path, str | None]]:
    """Every Python file of ours and its package."""
    for folder in ("api", "hack", "spark-apps", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            inside = path.relative_to(ROOT / folder).with_suffix("")
            if folder == "tests":
                yield path, "tests"
            elif len(inside.parts) > 1:
                yield path, package_of(".".join(inside.parts))
            elif folder == "spark-apps":
                yield path, "spark-apps"


def imported(path: Path) -> Iterator[str]:
    """The names that a file imports, with their modules."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from testbed import settings` imports a module.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    ("path", "package"),
    list(modules()),
    ids=lambda value: str(value.relative_to(ROOT)) if isinstance(value, Path) else "",
)
def test_imports_point_down(path: Path, package: str | None) -> None:
    """A module imports its own package and those of lower layers, and no other of ours."""
    if package is None:
        assert path == ROOT / "hack/testbed/__init__.py"
        return
    targets = {target for name in imported(path) if (target := package_of(name))} - {package}
    assert {target for target in targets if RANK[target] >= RANK[package]} == set()
