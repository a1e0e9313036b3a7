"""The erasure of one player, step by step."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from game_events import ERASED
from game_events.names import normal
from game_events.table import COLUMNS
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake import export
from lake.erasure.player import NAMED, OWN, Player
from lake.erasure.traces import TRUNCATED, Search, search
from lake.hdfs import Files
from lake.maintenance import compaction, snapshots
from lake.retry import retried
from lake.session import lake_session
from lake.settings import EVENTS, Settings

_PASSES = 3
"""A player may play while their rows are rewritten."""
_ROUNDS = 3
"""Each finds the rows that were added during the one before."""
_KEPT = ("received_at", "kafka_partition", "kafka_offset", "kafka_timestamp")


class Erasure:
    def __init__(self, spark: SparkSession, settings: Settings, player: Player) -> None:
        self._spark, self._settings, self._player = spark, settings, player
        self._folders = (settings.events_location, settings.export_location)

    def search(self) -> Search:
        return search(self._spark, self._folders, self._player)

    def clean(self, found: Iterable[str], grace: float) -> None:
        """Remove the player from the rows, from the exports that name them, and from old snapshots."""
        spark = self._spark
        # Iceberg never rewrites a single manifest: merged now, none that the next step changes remains the only one.
        report("manifests", retried(lambda: snapshots.rewrite_manifests(spark)))
        report("rows", self._rows())
        report("rows marked deleted", retried(lambda: compaction.apply_deletes(spark)))
        # Manifests have the bounds of the player names in each file, also in files that earlier commits replaced.
        report("manifests", retried(lambda: snapshots.rewrite_manifests(spark)))
        past = retried(lambda: snapshots.past(spark))
        if families := sorted({family for path in found if (family := self._family(path)) in export.FAMILIES}):
            export.export(self._settings, families)
        if past or families:
            report("waiting", f"{grace:g} s, for running queries; one that takes longer may have to be repeated")
            time.sleep(grace)
        report("snapshots", retried(lambda: snapshots.expire_exactly(spark, past)))

    def _rows(self) -> str:
        """Rewrite the files with rows that name the player, so that no file contains them."""
        spark, arguments = self._spark, self._player.arguments
        # Rows that are added meanwhile do not conflict: with `serializable` a running stream would conflict every time.
        spark.sql(
            f"ALTER TABLE {EVENTS} SET TBLPROPERTIES "
            "('write.update.mode'='copy-on-write', 'write.update.isolation-level'='snapshot')"
        )
        emptied = [column.name for column in COLUMNS if column.name not in (*_KEPT, "family", "target", "target_name")]
        changes = [f"family = IF({OWN}, '{ERASED}', family)", "target = NULL", "target_name = NULL"]
        changes += [f"{name} = IF({OWN}, NULL, {name})" for name in emptied]
        query = f"SELECT count_if({OWN}) AS own, count(*) AS named FROM {EVENTS} WHERE {NAMED}"
        update = f"UPDATE {EVENTS} SET {', '.join(changes)} WHERE {NAMED}"
        rows = others = 0
        for _ in range(_PASSES):
            [left] = spark.sql(query, args=arguments).collect()
            if not left.named:
                break
            retried(lambda: spark.sql(update, args=arguments))
            rows, others = rows + left.own, others + left.named - left.own
        return f"{rows} erased, {others} of other players without their target"

    def remove_unknown(self, found: Search, age: float) -> str:
        """Delete the files among those found that belong to no snapshot and no table of an export.

        Younger files of the table may belong to a running job that is about to commit them.
        """
        known = self._known(list(found.found))
        files = Files(self._spark)
        oldest = datetime.now(UTC) - timedelta(seconds=age)
        old = {one.path for folder in self._folders for one in files.under(folder) if one.modified <= oldest}
        removed = [
            path
            for path, why in found.found.items()
            if path not in known and (path in old or why == TRUNCATED or self._family(path))
        ]
        for path in removed:
            files.delete(path)
            del found.found[path]
        return f"{len(removed)} files deleted that named the player and belonged to no snapshot"

    def _known(self, paths: list[str]) -> set[str]:
        spark, current = self._spark, set()
        data = spark.table(f"{EVENTS}.all_files").select(F.col("file_path").alias("path"))
        manifests = spark.table(f"{EVENTS}.all_manifests").select("path")
        known = data.union(manifests).where(F.col("path").isin(paths)).distinct().collect()
        for family in {family for path in paths if (family := self._family(path))}:
            table = f"{export.SCHEMA}.{family}"
            if spark.catalog.tableExists(table):
                [row] = spark.sql(f"DESCRIBE FORMATTED {table}").where("col_name = 'Location'").collect()
                current.add(f"{row.data_type}/")
        return {row.path for row in known} | {path for path in paths if path.startswith(tuple(current))}

    def _family(self, path: str) -> str:
        """Return the family of an exported file; empty for others."""
        below = path.removeprefix(f"{self._settings.export_location}/")
        return below.split("/")[0] if below != path else ""


def erase(settings: Settings, name: str, grace: float, age: float | None = None) -> Search:
    """Erase a player under each form of the name; return what still names them.

    Running queries keep their files for `grace` seconds. Files that belong to no snapshot are deleted at an age of
    `age` seconds, by default at that of maintenance.
    """
    spark = lake_session("erase", settings)
    # It rewrites few files: by default each of hundreds of parts would become a file of an export.
    spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
    age = settings.orphan_hours * 3600 if age is None else age
    left = Search()
    # Rows have the name's normal form; rows of other writers, and older ones, have the name as it was written.
    for form in dict.fromkeys((normal(name), name)):
        left = _erase(Erasure(spark, settings, Player(form)), grace, age)
        if left.found:
            break
    return left


def _erase(erasure: Erasure, grace: float, age: float) -> Search:
    """Clean until no file names the player, or nothing changes; return the files that still do."""
    found = erasure.search()
    report("before", f"{len(found.found)} files name the player, of {found.scope}")
    for _ in range(_ROUNDS):
        before = set(found.found)
        if not before:
            break
        erasure.clean(before, grace)
        found = erasure.search()
        report("leftovers", erasure.remove_unknown(found, age))
        if set(found.found) == before:
            break
    return found


def report(what: str, did: str) -> None:
    print(f"{what}: {did}", flush=True)
