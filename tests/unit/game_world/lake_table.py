"""The table `events` as the jobs make it of a topic's records, queried by DuckDB instead of Trino."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
from game_world.events_table import TableError
from lake.transforms import decoded


class LakeTable:
    """One partition. It counts queries, and fails when a test wants it to."""

    def __init__(self, topic_id: str = "topic") -> None:
        self._database = duckdb.connect()
        self._database.execute("CREATE MACRO to_unixtime(moment) AS epoch(moment)")
        self._database.execute("CREATE TABLE properties AS SELECT 'gamelake.topic-id' AS key, ? AS value", [topic_id])
        self.load([])
        self.queries = 0
        self.fails_after: int | None = None

    def load(self, values: Sequence[bytes | None], first: int = 0) -> None:
        """Replace all rows by those of these records, the first of which is at the offset `first`."""
        places = range(first, first + len(values))
        batch = decoded([(None, value, 0, place, 0) for place, value in zip(places, values, strict=True)])
        self._database.register("batch", batch)
        self._database.execute("CREATE OR REPLACE TABLE events AS SELECT * FROM batch")

    def change(self, statement: str) -> None:
        self._database.execute(statement)

    def ask(self, query: str) -> Iterator[Sequence[Any]]:
        """Run a query of the world; after `fails_after` more rows nothing can be read."""
        self.queries += 1
        query = query.replace('lake.default."events$properties"', "properties").replace("lake.default.events", "events")
        for row in self._database.cursor().execute(query).fetchall():
            if self.fails_after is not None:
                if not self.fails_after:
                    raise TableError("Trino is gone")
                self.fails_after -= 1
            yield row
