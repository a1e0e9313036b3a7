"""What analysts ask: of our table, of the old layout, and of DuckDB."""

from testbed.simulator.scenario import QUERIES

FIRST_VERSION = tuple(query for query in QUERIES if query.startswith("select"))
"""Those of the first version's queries that read data."""

HOURLY = "select date_trunc('hour', received_at) as hour, event_type, count(*) from events group by 1, 2"

OURS = (*FIRST_VERSION, HOURLY)

_FAMILIES = ("purchases", "joins", "declarations", "visits")
_EVERYTHING = " union all ".join(f"select timestamp, event_type from {family}" for family in _FAMILIES)

# The cheapest way to an hour that text offers.
OLD = (
    *FIRST_VERSION,
    f"select substr(timestamp, 1, 13) as hour, event_type, count(*) from ({_EVERYTHING}) group by 1, 2",
)
