"""Whether an event is a row of the table, by Trino: a bounded number of questions at once, each bounded in time."""

import asyncio
from typing import Any

from game_events.event_ids import is_service_made, made_at
from game_trino.settings import TrinoSettings

from game_api.pages.query_cache import QueryFailedError, Rows, UnavailableError
from game_api.pages.site import Site

SECONDS = 5.0
"""How long a request waits for Trino."""
DAYS = 2
"""An id of the client's own does not tell when its event was received: rows of so many days are searched."""

_MOST_ROWS = 100

Json = dict[str, Any]


class TableLookup:
    """Asks Trino in the site's threads, of which it occupies at most `most`: others are left for pages."""

    def __init__(self, trino: TrinoSettings, site: Site, most: int, seconds: float = SECONDS) -> None:
        self._trino = trino
        self._site = site
        self._free = most
        self._seconds = seconds

    async def find(self, player: str, event_id: str) -> Json:
        """Return the `state` of a player's events with an id: `stored`, `absent`, or `unavailable` with a `detail`."""
        if not self._trino.url:
            return _unavailable("this service has no Trino")
        if not self._free:
            return _unavailable("too many questions to Trino at once")
        self._free -= 1
        asked = asyncio.get_running_loop().create_task(self._site.run(lambda: self._ask(player, event_id)))
        asked.add_done_callback(self._ended)
        try:
            # A thread cannot be stopped: it counts as occupied until Trino's client gives up.
            rows = await asyncio.wait_for(asyncio.shield(asked), self._seconds)
        except TimeoutError:
            return _unavailable("Trino did not answer in time")
        except (UnavailableError, QueryFailedError) as error:
            return _unavailable(f"Trino: {error}")
        return _found(rows)

    def _ended(self, asked: "asyncio.Task[Rows]") -> None:
        self._free += 1
        if not asked.cancelled():
            # What comes too late is nobody's.
            asked.exception()

    def _ask(self, player: str, event_id: str) -> Rows:
        # Imported here because it takes 7 MB, which a worker that is not asked does not need.
        from game_api.pages.trino_query import run_query

        return run_query(self._trino, lookup_query(player, event_id), f"{SECONDS:.0f}s")


def lookup_query(player: str, event_id: str) -> str:
    """Return the query for the rows of a player's events with this id, with the table's snapshot."""
    made = made_at(event_id) if is_service_made(event_id) else None
    if made is not None:
        # The id tells when its event was received, and a retry has at most ten minutes.
        time = f"from_unixtime({made // 1000})"
        when = f"received_at BETWEEN {time} - INTERVAL '1' HOUR AND {time} + INTERVAL '1' HOUR"
    else:
        when = f"received_at > now() - INTERVAL '{DAYS}' DAY"
    return (
        "SELECT event_type, kafka_partition, kafka_offset, "
        "(SELECT snapshot_id FROM \"events$refs\" WHERE name = 'main') AS snapshot "
        f"FROM events WHERE event_id = {_literal(event_id)} AND player = {_literal(player)} AND {when} "
        f"ORDER BY kafka_partition, kafka_offset LIMIT {_MOST_ROWS}"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _found(rows: Rows) -> Json:
    if not rows:
        return {"state": "absent"}
    records = [
        {"event_type": row["event_type"], "partition": row["kafka_partition"], "offset": row["kafka_offset"]}
        for row in rows
    ]
    # 64 bits: more than a number of JSON holds in many languages.
    return {"state": "stored", "snapshot": str(rows[0]["snapshot"]), "records": records}


def _unavailable(detail: str) -> Json:
    return {"state": "unavailable", "detail": detail}
