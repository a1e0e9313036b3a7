"""The scenario of `make demo`, through the API."""

import re

import pytest
from testbed.cluster import jobs
from testbed.cluster.progress import Progress
from testbed.simulator.scenario import ACKNOWLEDGED, QUERIES, ROWS

from tests.e2e.installation import Installation
from tests.e2e.traffic import traffic

pytestmark = [pytest.mark.timeout(3600), pytest.mark.usefixtures("demonstration")]


def test_its_numbers(demonstration: str) -> None:
    """The expected number of events is acknowledged, and each view gains the expected number of rows."""
    expected = {"events acknowledged": ACKNOWLEDGED, **{f"rows in {view}": count for view, count in ROWS.items()}}
    shown = re.findall(r"^  (\S.*?) +([\d,]+)(?: more, now [\d,]+)?  ok$", demonstration, re.MULTILINE)
    assert {what: int(count.replace(",", "")) for what, count in shown} == expected


def test_the_five_queries(installation: Installation, demonstration: str) -> None:
    """Trino answers the first version's queries, word for word, through a port-forward."""
    tables, columns, rows, types, [[mean]] = map(installation.ask, QUERIES)
    assert {"events", "purchases", "joins", "declarations", "visits", "rejected_events"} <= {name for (name,) in tables}
    assert {"accept", "host", "user_agent", "description", "event_type", "strength", "timestamp"} <= {
        column for column, *_ in columns
    }
    assert len(rows) == 10
    # Players of other tests buy more than those of the scenario.
    assert {name for (name,) in types} >= {"purchase_sword", "purchase_axe", "purchase_shield"}
    assert 0 < mean < 10
    assert all(f"trino> {query};" in demonstration for query in QUERIES)


def test_the_batch_job_beside_the_stream(installation: Installation) -> None:
    """The batch job succeeds over offsets that the stream writes at the same time, and duplicates nothing."""
    with traffic(installation):
        try:
            jobs.apply(installation.cluster, "batch")
            jobs.await_state(installation.cluster, "batch", "COMPLETED", Progress())
        finally:
            jobs.delete(installation.cluster, "batch")
    assert installation.differences() == {}
