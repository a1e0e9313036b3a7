"""README and docs name only what exists."""

import re
from pathlib import Path

import pytest
from testbed.settings import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "charts").glob("*/README.md"))]
FOLDERS = "api|charts|docs|hack|images|requirements|spark-apps|tests"

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@each_document
def test_targets(document: Path) -> None:
    """Every `make` target that a document names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:\$ |`|[A-Z_]+=\S+ )make ([a-z-]+)", document.read_text()))
    assert named or document != ROOT / "README.md"
    assert named <= targets


@each_document
def test_links(document: Path) -> None:
    """Every local link and picture of a document is an existing file, and an existing heading in it."""
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        file, _, heading = link.partition("#")
        if "://" in link:
            continue
        target = document.parent / file if file else document
        assert target.exists(), link
        assert not heading or heading in _headings(target), link


@each_document
def test_paths(document: Path) -> None:
    """Every file and folder of this repository that a document names exists; `*` and `…` stand for any name."""
    # What it quotes within a line, and the commands that it shows.
    code = " ".join(re.findall(r"`[^`\n]+`|^\$ .+$", document.read_text(), re.MULTILINE))
    for path in re.findall(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./*…-]*)", code):
        assert list(ROOT.glob(path.replace("…", "*").rstrip("/."))), path


def _headings(path: Path) -> set[str]:
    """Return the anchors that GitHub makes of a document's headings."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
