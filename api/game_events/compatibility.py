"""Compatibility of the contract: released events stay valid, and players keep their variant while an experiment runs.

`python -m game_events.compatibility` prints what would break. With `release` it also records the current contract as
released, unless something would break.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from game_events.catalog import COMMON_FIELDS, EVENT_TYPES
from game_events.experiments import EXPERIMENTS
from game_events.fields import Field

RELEASED = Path(__file__).parent / "released.json"
RELEASED_EXPERIMENTS = Path(__file__).parent / "released_experiments.json"

Contract = dict[str, dict[str, Any]]
"""The `common_fields`, and the `event_types` with their families and own fields."""


def contract() -> Contract:
    """Return the current contract as plain data."""
    return {
        "common_fields": _described(COMMON_FIELDS),
        "event_types": {
            event_type.name: {"family": event_type.family, "fields": _described(event_type.own_fields)}
            for event_type in EVENT_TYPES.values()
        },
    }


def _described(fields: Iterable[Field]) -> dict[str, Any]:
    return {field.name: _describe(field) for field in fields}


def _describe(field: Field) -> dict[str, Any]:
    described = {
        "kind": field.kind.name,
        "required": field.required,
        "minimum": field.minimum,
        "maximum": field.maximum,
    }
    if field.pattern:
        described["pattern"] = field.pattern
    if field.values:
        described["values"] = field.values.name
    return described


def breaks(released: Contract, current: Contract) -> list[str]:
    """Return a sentence for each promise of `released` that `current` breaks."""
    problems = _fields_break("", released["common_fields"], current["common_fields"])
    for name, old in released["event_types"].items():
        if name not in current["event_types"]:
            problems.append(f"{name}: the event type was removed")
            continue
        new = current["event_types"][name]
        if new["family"] != old["family"]:
            problems.append(f"{name}: moved from family {old['family']} to {new['family']}")
        problems += _fields_break(f"{name}.", old["fields"], new["fields"])
    return problems


def _fields_break(prefix: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    problems = []
    for field, was in old.items():
        problems += _field_breaks(f"{prefix}{field}", was, new.get(field))
    for field in new.keys() - old.keys():
        if new[field]["required"]:
            problems.append(
                f"{prefix}{field}: expected a new field to be optional, got a required one: older events lack it"
            )
    return problems


def _field_breaks(name: str, old: dict[str, Any], new: dict[str, Any] | None) -> list[str]:
    if new is None:
        return [f"{name}: the field was removed"]
    problems = []
    if new["kind"] != old["kind"]:
        problems.append(f"{name}: was {old['kind']}, now {new['kind']}; add a field instead")
    if new["required"] and not old["required"]:
        problems.append(f"{name}: was optional, now required")
    narrower = any(new.get(limit) not in (None, old.get(limit)) for limit in ("pattern", "values"))
    if new["minimum"] > old["minimum"] or new["maximum"] < old["maximum"] or narrower:
        problems.append(f"{name}: allows fewer values than before")
    return problems


def experiments() -> Contract:
    """Return the current experiments, as plain data."""
    return {
        # A list, because the order of the variants matters.
        name: {"variants": [[*variant] for variant in experiment.variants.items()], "winner": experiment.winner}
        for name, experiment in EXPERIMENTS.items()
    }


def experiment_breaks(released: Contract, current: Contract) -> list[str]:
    """Return a sentence for each experiment of `released` that `current` breaks off, changes or starts again.

    One with a winner may be removed.
    """
    problems = []
    for name, old in released.items():
        new = current.get(name)
        if old["winner"]:
            if new and not new["winner"]:
                problems.append(f"{name}: was stopped; declare an experiment of another name instead")
        elif new is None:
            problems.append(f"{name}: was removed while it runs; release it with a winner first")
        elif new["variants"] != old["variants"]:
            problems.append(f"{name}: other variants or weights while it runs would give players another variant")
    return problems


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["release"]):
        print(__doc__, file=sys.stderr)
        return 2
    problems = breaks(json.loads(RELEASED.read_text()), contract())
    problems += experiment_breaks(json.loads(RELEASED_EXPERIMENTS.read_text()), experiments())
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    if arguments:
        for path, current in ((RELEASED, contract()), (RELEASED_EXPERIMENTS, experiments())):
            path.write_text(json.dumps(current, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
