"""A copy of all that the lake has of one player: the rows that an erasure would change, as JSON and as Parquet."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
from game_events.table import COLUMNS, COUNTS

from lake.erasure.players import COLUMNS as NAMING
from lake.erasure.players import Players
from lake.export import new_version
from lake.session import lake_session
from lake.settings import EVENTS, Settings

FOLDER = "players"
"""Below the folder of exports: where copies are, unless another place is named."""


def copy(settings: Settings, name: str, folder: str | None) -> None:
    """Write the rows that name the player, in any spelling, into a new folder, and print where they are.

    `folder` is a URI; without one, the folder is below that of exports, where the next erasure deletes it.
    """
    players = Players((name,))
    spark = lake_session("batch-export", settings)
    condition, parameters = players.candidates()
    columns = ", ".join(column.name for column in COLUMNS if column is not COUNTS)
    candidates = spark.sql(f"SELECT {columns} FROM {EVENTS} WHERE {condition}", args=parameters)

    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            are_theirs = map(players.are_in_row, batch.select(list(NAMING)).to_pylist())
            yield batch.filter(pa.array(are_theirs, pa.bool_()))

    rows = candidates.mapInArrow(find, candidates.schema).coalesce(1).sortWithinPartitions("received_at")
    rows = rows.localCheckpoint()
    folder = folder or f"{settings.export_location}/{FOLDER}/{new_version()}"
    rows.write.json(f"{folder}/json")
    rows.write.option("compression", "snappy").parquet(f"{folder}/parquet")
    print(f"{rows.count()} rows name the player: {folder}/json, {folder}/parquet", flush=True)
