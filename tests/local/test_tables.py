"""tables.py: DDL only, which may run any number of times, before or after data."""

import re
from dataclasses import replace

import pytest
from game_events import EVENT_TYPES, FAMILIES, encode
from game_events.context import CONTEXT as CONTEXT_FIELDS
from game_events.experiments import Experiment, bucket, bucket_sql
from game_events.gaps import SESSION_GAPS
from game_events.table import COMMENTS, REJECTED_EVENTS, literal, view_comment
from testbed.clients import topic
from testbed.simulator.scenario import QUERIES
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack, StackError

from tests.local.lake import Lake
from tests.poison import EXAMPLES, SWORD

CONTEXT = {
    "player": "context",
    # The device's clock is a day ahead.
    "occurred_at": SWORD["received_at"] + 86_400_000 - 7_200_000,
    "sent_at": SWORD["received_at"] + 86_400_000,
    "session_id": "s7",
    "experiments": {"shop": "b"},
    "properties": {"level": 3, "of": {"name": "größte"}},
}


@pytest.fixture(scope="module", autouse=True)
def _loaded(lake: Lake) -> None:
    lake.write([*(path.read_bytes() for path in sorted(EXAMPLES.glob("*.json"))), encode(SWORD | CONTEXT)])
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


def test_the_context(lake: Lake) -> None:
    """A view has an event's context at its end: the time corrected, and objects as text for Trino's JSON functions."""
    columns = [name for name, *_ in lake.ask("DESCRIBE purchases")]
    assert columns[-10:] == [field.name for field in CONTEXT_FIELDS]
    [[ago, session, level, name, variant]] = lake.ask(
        "SELECT date_diff('minute', occurred_at, timestamp), session_id, json_extract_scalar(properties, '$.level'), "
        "json_value(properties, 'lax $.of.name'), json_value(experiments, 'lax $.shop') "
        "FROM purchases WHERE player = 'context'"
    )
    assert (ago, session, level, name, variant) == (120, "s7", "3", "größte", "b")
    [[others]] = lake.ask(
        "SELECT count(*) FROM purchases "
        "WHERE player LIKE 'knight%' AND event_id LIKE '019a0000-%' AND occurred_at <> timestamp"
    )
    assert others == 0


def test_comments(lake: Lake) -> None:
    """Columns of the table and of every view have the contract's comments, again after one was changed or lost."""
    views = [*FAMILIES, REJECTED_EVENTS, SESSION_GAPS]
    created = {name: lake.ask(f"SHOW CREATE VIEW {name}") for name in views}
    lake.ask("COMMENT ON COLUMN lake.default.events.player IS 'old'")
    # It has no comments of columns.
    lake.ask("CREATE OR REPLACE VIEW joins AS SELECT 1 AS player")
    lake.job("tables.py")
    for name in ("lake.default.events", *views):
        comments = {column: comment for column, _, _, comment in lake.ask(f"DESCRIBE {name}")}
        assert comments == {column: COMMENTS[column] for column in comments}
    assert {name: lake.ask(f"SHOW CREATE VIEW {name}") for name in views} == created
    assert view_comment("joins") in created["joins"][0][0]


def test_views_that_are_as_they_should_be(lake: Lake) -> None:
    """Run again, it replaces no view and commits nothing to the table."""
    lake.job("tables.py")
    query = "SELECT max(query_id) FROM system.runtime.queries WHERE query LIKE 'CREATE OR REPLACE VIEW%'"
    metadata = 'SELECT file FROM lake.default."events$metadata_log_entries"'
    before = lake.ask(query), lake.ask(metadata)
    lake.job("tables.py")
    assert (lake.ask(query), lake.ask(metadata)) == before


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


def test_the_once_rule_in_trino(lake: Lake) -> None:
    """Trino reads only rows received near those that it decides about, and keeps no time for each key.

    It would not count the memory of those times, and so end with an OutOfMemoryError instead of failing the query.
    """
    plan = "\n".join(row[0] for row in lake.ask("EXPLAIN SELECT count(*) FROM purchases"))
    assert re.search(r"dynamicFilters = {.*received_at_\d+ >= #df_", plan)
    by_key = re.findall(r"Aggregate.* keys = .*(?:\n(?!.*─).*)*", plan)
    assert by_key
    assert not any("min(" in aggregate or "max(" in aggregate for aggregate in by_key)


def test_a_recreated_topic_is_refused(lake: Lake, stack: Stack) -> None:
    """Offsets of another topic, whatever its name, are not mistaken for existing rows."""
    places = lake.places()
    other = replace(stack.settings, topic="recreated")
    assert topic.ensure(other)
    with pytest.raises(StackError, match=r"holds the offsets of topic id \S+, and this topic's id is \S+"):
        stack.run(spark_job(other, "job", "batch.py", "load"))
    assert lake.places() == places


def test_trino_computes_variants(lake: Lake) -> None:
    """Trino gives players the bucket and the variant that the API does, whatever their names."""
    experiment = Experiment("size", "", {"small": 2_500, "medium": 0, "large": 7_500})
    players = [*(f"knight{number}.comcast.com" for number in range(500)), "jürgen 🗡", "o'neill", "a:b"]
    rows = ", ".join(f"({literal(player)})" for player in players)
    query = f"SELECT player, {bucket_sql('size')}, {experiment.variant_sql()} FROM (VALUES {rows}) AS p (player)"
    found = {player: (number, variant) for player, number, variant in lake.ask(query)}
    assert found == {player: (bucket("size", player), experiment.variant_of(player)) for player in players}
