"""Timed queries in Trino."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import trino

from testbed.settings import HOST, Settings


@dataclass(frozen=True)
class Answer:
    """Rows of a result, and the wall seconds until the last of them."""

    rows: list[list[Any]]
    seconds: float
    query_id: str


class Asker:
    """One connection to Trino."""

    def __init__(self, connection: trino.dbapi.Connection) -> None:
        self._connection = connection

    def ask(self, query: str) -> Answer:
        cursor = self._connection.cursor()
        began = time.monotonic()
        cursor.execute(query)
        rows = cursor.fetchall()
        return Answer(rows, time.monotonic() - began, cursor.query_id)

    def planning_ms(self, query: str) -> int:
        """Run a query, and return the milliseconds that Trino took to plan it."""
        query_id = self.ask(query).query_id
        plans = f"SELECT planning_time_ms FROM system.runtime.queries WHERE query_id = '{query_id}'"
        return int(self.ask(plans).rows[0][0])


@contextmanager
def asker(settings: Settings, schema: str = "default") -> Iterator[Asker]:
    """Connect to catalog `hive`."""
    with trino.dbapi.connect(
        host=HOST, port=settings.ports.trino, user="gamelake", catalog="hive", schema=schema, timezone="UTC"
    ) as connection:
        yield Asker(connection)
