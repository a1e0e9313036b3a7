"""Timed queries in Trino."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import trino
from game_trino.connection import connected

from testbed.clients.sql import USER
from testbed.settings import Settings


@dataclass(frozen=True)
class Result:
    """Rows of a result, and the wall seconds until the last of them."""

    rows: list[list[Any]]
    seconds: float
    query_id: str


class Connection:
    """One connection to Trino."""

    def __init__(self, connection: trino.dbapi.Connection) -> None:
        self._connection = connection

    def run(self, query: str) -> Result:
        cursor = self._connection.cursor()
        began = time.monotonic()
        cursor.execute(query)
        rows = cursor.fetchall()
        return Result(rows, time.monotonic() - began, cursor.query_id)

    def planning_ms(self, query: str) -> int:
        """Run a query, and return the milliseconds that Trino took to plan it."""
        query_id = self.run(query).query_id
        plans = f"SELECT planning_time_ms FROM system.runtime.queries WHERE query_id = '{query_id}'"
        return int(self.run(plans).rows[0][0])


@contextmanager
def connect(settings: Settings, schema: str = "default") -> Iterator[Connection]:
    """Connect to catalog `hive`."""
    with connected(settings.trino(USER), USER, catalog="hive", schema=schema) as connection:
        yield Connection(connection)
