"""tables.py: DDL only, any number of times, before or after data."""

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
    """Run after data has landed, and again, it leaves every row and every file as it was."""
    rows, files = lake.rows(), lake.files("/lake/events/data")
    lake.job("tables.py")
    lake.job("tables.py")
    assert lake.rows() == rows
    assert lake.files("/lake/events/data") == files


def test_a_new_column(lake: Lake) -> None:
    """A column that the contract has and the table lacks is added; rows stay."""
    places = lake.places()
    lake.ask("ALTER TABLE lake.default.events DROP COLUMN target")
    lake.job("tables.py")
    assert lake.ask("SELECT count(*) FROM lake.default.events WHERE target IS NULL") == [[len(places)]]
    assert lake.places() == places


def test_a_catalog_that_lost_the_table(lake: Lake) -> None:
    """With its files there and the table gone from the catalog, no new table hides them; --register brings it back."""
    rows = lake.rows()
    lake.ask("CALL lake.system.unregister_table('default', 'events')")
    with pytest.raises(StackError) as refusal:
        lake.job("tables.py")
    message = next(line for line in str(refusal.value).splitlines() if "error:" in line)
    assert "is not in the catalog, but its files are at" in message
    lake.job("tables.py", *message.split("tables.py ")[1].split())
    assert lake.rows() == rows


def test_the_queries_of_the_first_version(lake: Lake) -> None:
    """The five queries that the first version answered are answered, word for word."""
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


def test_a_topic_made_anew_is_refused(lake: Lake, stack: Stack) -> None:
    """Offsets of another topic, of the same name or not, are not taken for rows that are there already."""
    places = lake.places()
    other = replace(stack.settings, topic="made_anew")
    assert topic.ensure(other)
    with pytest.raises(StackError, match=r"holds the offsets of topic id \S+, and this topic's id is \S+"):
        stack.run(spark_job(other, "job", "batch.py", "load"))
    assert lake.places() == places
