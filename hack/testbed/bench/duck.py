"""The upper limit: DuckDB on the same Parquet files, with the same views.

It runs as a process of its own: `python -m testbed.bench.duck FOLDER` reads queries by name as JSON, runs all of them
twice, and prints the results and the cost of the second time as JSON.
"""

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

import duckdb
from game_events.table import family_query, rejected_query

from testbed.bench.questions import FAMILIES


def answers(folder: str, queries: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Run the queries on the files in this folder."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    # Trino's name of it.
    connection.execute("CREATE MACRO from_utf8(bytes) AS decode(bytes)")
    connection.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{folder}/*.parquet')")
    for family in FAMILIES:
        connection.execute(f"CREATE VIEW {family} AS {family_query(family, 'events')}")
    connection.execute(f"CREATE VIEW rejected_events AS {rejected_query('events')}")
    for query in queries.values():
        _run(connection, query)
    return {name: _run(connection, query) for name, query in queries.items()}


def _run(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    began, began_cpu = time.monotonic(), time.process_time()
    rows = connection.execute(query).fetchall()
    return {"seconds": time.monotonic() - began, "cpu": time.process_time() - began_cpu, "rows": rows}


if __name__ == "__main__":
    print(json.dumps(answers(sys.argv[1], json.load(sys.stdin)), default=str))
