"""A stored result: the rows of one section of a document, and the run that measured them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from testbed.results.machine import Machine
from testbed.results.run import Run
from testbed.settings import ROOT

DOCS = ROOT / "docs"


@dataclass(frozen=True)
class Result:
    """`rows` are the fields of the document's rows; `notes` are sentences shown with them."""

    run: Run
    rows: Sequence[Mapping[str, Any]]
    notes: Sequence[str] = ()

    def to_json(self) -> str:
        fields = {**asdict(self.run), "notes": list(self.notes), "rows": list(self.rows)}
        return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Result":
        fields = json.loads(text)
        rows, notes = fields.pop("rows"), fields.pop("notes")
        machine = Machine(**fields.pop("machine"))
        return cls(Run(machine=machine, **fields), rows, notes)


def load(docs: Path, name: str) -> Result | None:
    """Return the stored result of this name; None if there is none."""
    path = _path(docs, name)
    return Result.from_json(path.read_text()) if path.exists() else None


def save(docs: Path, results: Mapping[str, Result], document: str, text: str) -> None:
    """Store the results by their names, and write the document that is rendered from them."""
    (docs / "results").mkdir(parents=True, exist_ok=True)
    for name, result in results.items():
        _replace(_path(docs, name), result.to_json())
    _replace(docs / document, text)
    print(f"wrote {docs / document}", flush=True)


def _path(docs: Path, name: str) -> Path:
    return docs / "results" / f"{name}.json"


def _replace(path: Path, text: str) -> None:
    """Write a file whole: a reader, or an interruption, finds the old text or the new one."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text)
    partial.replace(path)
