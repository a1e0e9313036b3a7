"""The upper limit: DuckDB on the same Parquet files.

It runs as a process of its own: `python -m testbed.bench.duck FOLDER` runs all queries twice, and prints the results
and the cost of the second time as JSON.
"""

import json
import sys
import time
from typing import Any

import duckdb
from game_events.table import family_query

from testbed.bench.questions import OURS


def answers(folder: str) -> dict[str, dict[str, Any]]:
    """Run our queries on the files in this folder."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{folder}/*.parquet')")
    connection.execute(f"CREATE VIEW purchases AS {family_query('purchases', 'events')}")
    for query in OURS:
        _run(connection, query)
    return {query: _run(connection, query) for query in OURS}


def _run(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    began, began_cpu = time.monotonic(), time.process_time()
    rows = connection.execute(query).fetchall()
    return {"seconds": time.monotonic() - began, "cpu": time.process_time() - began_cpu, "rows": rows}


if __name__ == "__main__":
    print(json.dumps(answers(sys.argv[1]), default=str))
