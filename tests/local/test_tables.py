"""tables.py: DDL only, which may run any number of times, before or after data."""

from dataclasses import replace

import pytest
from game_events import EVENT_TYPES
from testbed.clients import topic
from testbed.simulator.scenario import QUERIES
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack, StackError

from tests.local.lake import Lake
from tests.poison import EXAMPLES


@pytest.fixture(scope="module", autouse=True)
def _loaded(lake: Lake) -> None:
    lake.write([path.read_bytes() for path in sorted(EXAMPLES.glob("*.json"))])
    lake.job("batch.py", "load")


def test_after_data(lake: Lake) -> None:
    """Run once and again after a load, it changes no row and no file."""
    rows, files = lake.rows(), lake.files("/lake/events/data")
    lake.job("tables.py")
    lake.job("tables.py")
    assert lake.rows() == rows
    assert lake.files("/lake/events/data") == files


def test_a_new_column(lake: Lake) -> None:
    """A column of the contract that the table lacks is added; rows are kept."""
    places = lake.places()
    lake.ask("ALTER TABLE lake.default.events DROP COLUMN target")
    lake.job("tables.py")
    assert lake.ask("SELECT count(*) FROM lake.default.events WHERE target IS NULL") == [[len(places)]]
    assert lake.places() == places


def test_a_catalog_that_lost_the_table(lake: Lake) -> None:
    """If the catalog has lost the table, no new table hides its files; --register restores it."""
    rows = lake.rows()
    lake.ask("CALL lake.system.unregister_table('default', 'events')")
    with pytest.raises(StackError) as refusal:
        lake.job("tables.py")
    message = next(line for line in str(refusal.value).splitlines() if "error:" in line)
    assert "is not in the catalog, but its files are at" in message
    lake.job("tables.py", *message.split("tables.py ")[1].split())
    assert lake.rows() == rows


def test_the_queries_of_the_first_version(lake: Lake) -> None:
    """The five queries of the first version still work, word for word."""
    tables, columns, some, types, [[average]] = (lake.ask(query) for query in QUERIES)
    views = {"purchases", "joins", "declarations", "visits", "rejected_events"}
    assert views <= {name for [name] in tables}
    assert {"accept", "host", "user_agent", "description", "event_type", "strength", "timestamp"} <= {
        name for name, *_ in columns
    }
    assert 0 < len(some) <= 10
    bought = {event_type.name for event_type in EVENT_TYPES.values() if event_type.family == "purchases"}
    assert {"purchase_axe", "purchase_shield", "purchase_sword"} <= {name for [name] in types} <= bought
    assert 0 <= average <= 10


def test_a_recreated_topic_is_refused(lake: Lake, stack: Stack) -> None:
    """Offsets of another topic, whatever its name, are not mistaken for existing rows."""
    places = lake.places()
    other = replace(stack.settings, topic="recreated")
    assert topic.ensure(other)
    with pytest.raises(StackError, match=r"holds the offsets of topic id \S+, and this topic's id is \S+"):
        stack.run(spark_job(other, "job", "batch.py", "load"))
    assert lake.places() == places
