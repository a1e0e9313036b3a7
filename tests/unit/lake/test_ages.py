"""What Prometheus sees of maintenance."""

import time

import pytest
from lake.maintenance.ages import Ages
from lake.maintenance.memory import Memory
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families


def shown(ages: Ages) -> dict[str, float]:
    """The ages by step, as they are served."""
    registry = CollectorRegistry()
    registry.register(ages)
    [family] = text_string_to_metric_families(generate_latest(registry).decode())
    assert family.name == "gamelake_maintenance_age_seconds"
    return {one.labels["step"]: one.value for one in family.samples}


def test_each_step_has_the_age_of_its_last_success() -> None:
    """One that never ran is as old as the process; those of other versions, which the table may know, are not shown."""
    memory = Memory()
    memory.note_run("hours that are over", time.time() - 7200)
    memory.note_run("days that are over", 0)
    ages = Ages(memory, ["hours that are over", "orphans"])
    assert shown(ages) == {"hours that are over": pytest.approx(7200, abs=60), "orphans": pytest.approx(0, abs=60)}
    memory.note_run("orphans", time.time() - 90)
    assert shown(ages)["orphans"] == pytest.approx(90, abs=60)
