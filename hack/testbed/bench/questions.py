"""The queries of the benchmark, for our table, the old layout and DuckDB."""

from testbed.simulator.scenario import QUERIES

FIRST_VERSION = tuple(query for query in QUERIES if query.startswith("select"))
"""The first version's queries that read data."""

HOURLY = "select date_trunc('hour', received_at) as hour, event_type, count(*) from events group by 1, 2"

OURS = (*FIRST_VERSION, HOURLY)

_FAMILIES = ("purchases", "joins", "declarations", "visits")
_EVERYTHING = " union all ".join(f"select timestamp, event_type from {family}" for family in _FAMILIES)

# With text columns, a prefix is the cheapest way to get the hour.
OLD = (
    *FIRST_VERSION,
    f"select substr(timestamp, 1, 13) as hour, event_type, count(*) from ({_EVERYTHING}) group by 1, 2",
)
