"""The scenario of `make demo`, by the front door."""

import re

import pytest
from testbed.cluster import jobs
from testbed.cluster.progress import Progress
from testbed.simulator.scenario import ACKNOWLEDGED, QUERIES, ROWS

from tests.e2e.installation import Installation
from tests.e2e.traffic import traffic

pytestmark = [pytest.mark.timeout(3600), pytest.mark.usefixtures("demonstration")]


def test_it_comes_to_its_numbers(demonstration: str) -> None:
    """As many events are acknowledged as must be, and each view has as many rows more."""
    expected = {"events acknowledged": ACKNOWLEDGED, **{f"rows in {view}": count for view, count in ROWS.items()}}
    told = re.findall(r"^  (\S.*?) +([\d,]+)(?: more, now [\d,]+)?  as it must be$", demonstration, re.MULTILINE)
    assert {what: int(count.replace(",", "")) for what, count in told} == expected


def test_the_five_queries(installation: Installation, demonstration: str) -> None:
    """What the first version answered, word for word, Trino answers through a port-forward."""
    tables, columns, rows, types, [[mean]] = map(installation.ask, QUERIES)
    assert {"events", "purchases", "joins", "declarations", "visits", "rejected_events"} <= {name for (name,) in tables}
    assert {"accept", "host", "user_agent", "description", "event_type", "strength", "timestamp"} <= {
        column for column, *_ in columns
    }
    assert len(rows) == 10
    # Other tests' players buy more than the scenario's.
    assert {name for (name,) in types} >= {"purchase_sword", "purchase_axe", "purchase_shield"}
    assert 0 < mean < 10
    assert all(f"trino> {query};" in demonstration for query in QUERIES)


def test_the_batch_job_beside_the_stream(installation: Installation) -> None:
    """Over the offsets that the stream writes at the same time, the batch job doubles nothing, and ends well."""
    with traffic(installation):
        try:
            jobs.apply(installation.cluster, "batch")
            jobs.await_state(installation.cluster, "batch", "COMPLETED", Progress())
        finally:
            jobs.delete(installation.cluster, "batch")
    assert installation.differences() == {}
