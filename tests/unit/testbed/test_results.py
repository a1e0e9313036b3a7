"""Documents of measurements: rendered from stored results, each with its own date, commit and machine."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from testbed.bench import document as benchmarks
from testbed.bench.report import Compared, Row
from testbed.faults import document as faults
from testbed.faults.fault import Fault
from testbed.faults.report import Outcome, rows
from testbed.results import run as runs
from testbed.results.machine import Machine, this_machine
from testbed.results.result import DOCS
from testbed.results.run import Run

from tests.command import environment

MACHINE = Machine("A Processor", 2, 8, {"Python": "3.13.1", "Kafka": "4.3.1"})
RUN = Run("2026-11-24T12:00:00Z", "0123456789abcdef", dirty=False, machine=MACHINE, command="python -m testbed.bench")
SPEED = Row("requests/s", "2,000", "1,000, Flask", "2.00 (1.90 to 2.10)", "at least 2x", met=True)
COST = Row("CPU per event", "900 µs", "300 µs", "3.00", "at most 1x", met=False)


def section(document: str, title: str) -> str:
    return document.split(f"## {title}\n")[1].split("\n## ")[0]


def test_a_run_of_one_section_leaves_the_others(tmp_path: Path) -> None:
    """A section keeps its rows and its run until it is measured again itself."""
    benchmarks.record(RUN, {"api": [SPEED], "batch": [COST]}, {"api": "Medians of 5 rounds."}, docs=tmp_path)
    later = replace(
        RUN, date="2026-12-01T08:00:00Z", commit="fedcba98765432", command="python -m testbed.bench --only api"
    )
    benchmarks.record(later, {"api": [replace(SPEED, value="3,000")]}, docs=tmp_path)
    document = (tmp_path / "benchmarks.md").read_text()
    assert "| requests/s | 3,000 | 1,000, Flask | 2.00 (1.90 to 2.10) | at least 2x: met |" in section(document, "API")
    assert "on 2026-12-01 at commit fedcba987654, with `python -m testbed.bench --only api`" in section(document, "API")
    assert "Medians of 5 rounds." not in document
    batch = section(document, "Batch job")
    assert "| CPU per event | 900 µs | 300 µs | 3.00 | at most 1x: **missed** |" in batch
    assert "Measured on 2026-11-24 at commit 0123456789ab, with `python -m testbed.bench`, on A Processor" in batch
    assert "2,000" not in document


def test_a_row_with_a_column_for_each_peer_is_stored_and_rendered(tmp_path: Path) -> None:
    """The section has a table for each kind of row, also when another section is measured later."""
    benchmarks.record(
        RUN, {"queries": [Compared("players", {"gamelake": "1 s", "DuckDB": "2 s"}), SPEED]}, docs=tmp_path
    )
    benchmarks.record(RUN, {"api": [SPEED]}, docs=tmp_path)
    queries = section((tmp_path / "benchmarks.md").read_text(), "Queries")
    assert "| | gamelake | DuckDB |\n|---|---|---|\n| players | 1 s | 2 s |\n\n| | gamelake | compared with" in queries


def test_a_section_without_a_result_says_how_to_measure_it(tmp_path: Path) -> None:
    benchmarks.record(RUN, {"cluster": [SPEED]}, docs=tmp_path)
    document = (tmp_path / "benchmarks.md").read_text()
    assert "Not measured yet: `make bench ARGS='--only queries'`." in section(document, "Queries")
    assert "Not measured yet" not in section(document, "Kubernetes")


def test_a_result_is_stored_with_its_run(tmp_path: Path) -> None:
    """The stored result has the date, the commit, the machine, the command and every field of its rows."""
    benchmarks.record(replace(RUN, dirty=True), {"api": [SPEED]}, {"api": "A note."}, docs=tmp_path)
    stored = json.loads((tmp_path / "results/benchmarks-api.json").read_text())
    assert stored == {
        "date": "2026-11-24T12:00:00Z",
        "commit": "0123456789abcdef",
        "dirty": True,
        "machine": {
            "cpu": "A Processor",
            "cores": 2,
            "memory_gb": 8,
            "software": {"Python": "3.13.1", "Kafka": "4.3.1"},
        },
        "command": "python -m testbed.bench",
        "notes": ["A note."],
        "rows": [
            {
                "what": "requests/s",
                "value": "2,000",
                "comparison": "1,000, Flask",
                "ratio": "2.00 (1.90 to 2.10)",
                "target": "at least 2x",
                "met": True,
            }
        ],
    }
    assert "commit 0123456789ab with uncommitted changes" in (tmp_path / "benchmarks.md").read_text()


def test_what_cannot_be_rendered_is_not_stored(tmp_path: Path) -> None:
    """A failure leaves both the stored results and the document as they were."""
    benchmarks.record(RUN, {"api": [SPEED]}, docs=tmp_path)
    before = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "results/benchmarks-batch.json").write_text("{}")
    with pytest.raises(KeyError):
        benchmarks.record(RUN, {"api": [COST]}, docs=tmp_path)
    assert {path: path.read_text() for path in before} == before


def test_faults_are_summed_up_by_kind(tmp_path: Path) -> None:
    """A kind of fault has one row, with its losses and its longest recovery compared with its target."""
    kill, freeze = Fault("kill", lambda _: None, limit=60), Fault("freeze", lambda _: None, limit=60)
    outcomes = [
        Outcome(kill, 10, "before the commit", 0, 0, 0),
        Outcome(freeze, 61, None, 0, 0, 0),
        Outcome(kill, 59, "before the commit", 0, 1, 0),
    ]
    assert list(map(str, outcomes)) == [
        "before the commit; 10.0 s, ok",
        "61.0 s (target of 60 s: missed), ok",
        "before the commit; 59.0 s, NOT OK",
    ]
    faults.record(RUN, rows(outcomes), ["Seed 7."], docs=tmp_path)
    document = (tmp_path / "faults.md").read_text()
    assert "| kill (2 before the commit) | 2 | 0 | **1** | 0 | 59 s | 60 s: met |" in document
    assert "| freeze | 1 | 0 | 0 | 0 | 61 s | 60 s: **missed** |" in document
    assert "Seed 7." in document
    assert "Measured on 2026-11-24 at commit 0123456789ab" in document


def test_a_run_knows_its_commit_and_whether_the_tree_was_dirty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changed and new files make a tree dirty; results and documents that earlier runs wrote do not."""
    monkeypatch.setattr(runs, "ROOT", tmp_path)

    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-C", str(tmp_path), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert Run.begin("testbed.bench").commit == ""
    git("init", "--quiet")
    (tmp_path / "code.py").write_text("1")
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    (tmp_path / "docs/results").mkdir(parents=True)
    (tmp_path / "docs/results/benchmarks-api.json").write_text("{}")
    (tmp_path / "docs/benchmarks.md").write_text("")
    clean = Run.begin("testbed.bench")
    assert (clean.commit, clean.dirty) == (git("rev-parse", "HEAD"), False)
    (tmp_path / "new.py").write_text("2")
    assert Run.begin("testbed.bench").dirty


def test_the_machine_is_described() -> None:
    """A machine has a processor, cores, memory, and the versions of what was measured."""
    machine = this_machine()
    assert machine.cpu
    assert machine.cores > 0
    assert machine.memory_gb > 0
    assert {"Python", "Flask", "Kafka", "Spark", "Trino"} <= machine.software.keys()


@pytest.mark.parametrize("module", ["testbed.bench", "testbed.faults"])
def test_a_failed_run_changes_no_document(module: str, tmp_path: Path) -> None:
    """A run that fails, here without Maven and with an empty cache, prints its error and writes nothing."""
    before = documents()
    ran = subprocess.run(
        [sys.executable, "-m", module],
        env=environment(PATH=str(Path(sys.executable).parent), GAMELAKE_CACHE=str(tmp_path), TMPDIR=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert "error: mvn: expected Maven on the PATH" in ran.stderr
    assert documents() == before


def documents() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in DOCS.rglob("*") if path.is_file()}


def test_documents_are_what_their_results_render_to() -> None:
    """No figure in a generated document is typed by hand, and none is missing."""
    if stored := benchmarks.stored_results():
        assert (DOCS / benchmarks.NAME).read_text() == benchmarks.render(stored)
    if campaign := faults.stored_result():
        assert (DOCS / faults.NAME).read_text() == faults.render(campaign)
