"""The erasure of players, step by step. Each step treats all of them at once."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce

import pyarrow as pa
from game_events import ERASED
from game_events.table import COLUMNS
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake import events_table, export, player_copy, rollups
from lake.erasure.players import Players, Spellings
from lake.erasure.traces import TRUNCATED, Search, search
from lake.hdfs import Files
from lake.maintenance import compaction, snapshots
from lake.retry import retried
from lake.session import lake_session
from lake.settings import EVENTS, ROLLUPS, Settings

_PASSES = 3
"""A player may play while their rows are rewritten."""
_ROUNDS = 3
"""Each finds the rows that were added during the one before."""
_RECORDS = "player_records"
"""A temporary view: where the players' rejected records are."""
_KEPT = ("received_at", "kafka_partition", "kafka_offset", "kafka_timestamp")


class Erasure:
    def __init__(self, spark: SparkSession, settings: Settings, players: Players) -> None:
        self._spark, self._settings, self.players = spark, settings, players
        self._folders = (settings.events_location, settings.rollups_location, settings.export_location)

    def search(self) -> Search:
        return search(self._spark, self._folders, self.players)

    def clean(self, found: Search, grace: float) -> None:
        """Remove the players from the rows, from the exports that name them, and from old snapshots."""
        spark = self._spark
        # Iceberg never rewrites a single manifest: merged now, none that the next step changes remains the only one.
        report("manifests", retried(lambda: snapshots.rewrite_manifests(spark)))
        report("rows", self.rewrite_rows(found.spellings))
        report("rollups", retried(lambda: rollups.roll_up(spark)))
        report("rows marked deleted", retried(lambda: compaction.apply_deletes(spark)))
        # Manifests have the bounds of the player names in each file, also in files that earlier commits replaced.
        report("manifests", retried(lambda: snapshots.rewrite_manifests(spark)))
        # Each copy is of one player, whose name is in no path, and can be made again.
        Files(spark).delete(f"{self._settings.export_location}/{player_copy.FOLDER}")
        past = retried(lambda: snapshots.past(spark))
        if families := sorted({family for path in found.found if (family := self._family(path)) in export.FAMILIES}):
            export.export(self._settings, families)
        if past or families:
            report("waiting", f"{grace:g} s, for running queries; one that takes longer may have to be repeated")
            time.sleep(grace)
        report("snapshots", retried(lambda: snapshots.expire_exactly(spark, past)))
        report("snapshots of rollups", retried(lambda: rollups.expire(spark, datetime.now(UTC))))

    def rewrite_rows(self, spellings: Spellings) -> str:
        """Rewrite the files with rows that name a player, so that no file contains them.

        Rows of other players lose only the columns that name an erased one.
        """
        spark = self._spark
        # Rows that are added meanwhile do not conflict: with `serializable` a running stream would conflict every time.
        spark.sql(
            f"ALTER TABLE {EVENTS} SET TBLPROPERTIES "
            "('write.update.mode'='copy-on-write', 'write.update.isolation-level'='snapshot')"
        )
        names, name_parameters = _listed("name", {*self.players.both, *spellings.names})
        hosts, host_parameters = _listed("host", {*self.players.both, *spellings.hosts})
        parameters = name_parameters | host_parameters
        # Of the rows that are changed, those with a record are the players'.
        own = f"(player IN ({names}) OR raw_key IS NOT NULL OR raw_value IS NOT NULL)"
        named = f"player IN ({names}) OR target IN ({names}) OR host IN ({hosts})"
        named += f" OR (kafka_partition, kafka_offset) IN (SELECT kafka_partition, kafka_offset FROM {_RECORDS})"
        also = {
            "target": f" OR target IN ({names})",
            "target_name": f" OR target IN ({names})",
            "host": f" OR host IN ({hosts})",
        }
        emptied = [column.name for column in COLUMNS if column.name not in (*_KEPT, "family")]
        changes = [f"family = IF({own}, '{ERASED}', family)"]
        changes += [f"{name} = IF({own}{also.get(name, '')}, NULL, {name})" for name in emptied]
        query = f"SELECT count_if({own}) AS own, count(*) AS named FROM {EVENTS} WHERE {named}"
        update = f"UPDATE {EVENTS} SET {', '.join(changes)} WHERE {named}"
        rows = others = 0
        for _ in range(_PASSES):
            self._find_records()
            [left] = spark.sql(query, args=parameters).collect()
            if not left.named:
                break
            retried(lambda: spark.sql(update, args=parameters))
            rows, others = rows + left.own, others + left.named - left.own
        return f"{rows} erased, {others} of other players without the name in target or host"

    def _find_records(self) -> None:
        """Make the view of the places of rejected records that are the players'."""
        players = self.players

        def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                pairs = zip(batch.column("raw_key").to_pylist(), batch.column("raw_value").to_pylist(), strict=True)
                are_theirs = pa.array([players.are_in_record(key, value) for key, value in pairs], pa.bool_())
                yield batch.select(["kafka_partition", "kafka_offset"]).filter(are_theirs)

        records = self._spark.table(EVENTS).where("raw_key IS NOT NULL OR raw_value IS NOT NULL")
        columns = records.select("kafka_partition", "kafka_offset", "raw_key", "raw_value")
        # Read once: an update evaluates its condition several times.
        places = columns.mapInArrow(find, "kafka_partition INT, kafka_offset BIGINT").localCheckpoint()
        places.createOrReplaceTempView(_RECORDS)

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
        return f"{len(removed)} files deleted that named {self.players} and belonged to no snapshot"

    def _known(self, paths: list[str]) -> set[str]:
        spark, current = self._spark, set()
        tables = [name for name in (EVENTS, ROLLUPS) if spark.catalog.tableExists(name)]
        data = [spark.table(f"{name}.all_files").select(F.col("file_path").alias("path")) for name in tables]
        manifests = [spark.table(f"{name}.all_manifests").select("path") for name in tables]
        files = reduce(DataFrame.union, data + manifests)
        known = files.where(F.col("path").isin(paths)).distinct().collect()
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


def erase(settings: Settings, names: Sequence[str], grace: float, age: float | None = None) -> Search:
    """Erase players, under each spelling of their names; return what still names them.

    Running queries keep their files for `grace` seconds. Files that belong to no snapshot are deleted at an age of
    `age` seconds, by default at that of maintenance.
    """
    spark = lake_session("erase", settings)
    # Their files would be taken for files that no snapshot knows.
    if remedy := events_table.elsewhere(spark, settings):
        raise events_table.TableError(remedy)
    # It rewrites few files: by default each of hundreds of parts would become a file of an export.
    spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
    age = settings.orphan_hours * 3600 if age is None else age
    return _erase(Erasure(spark, settings, Players(tuple(dict.fromkeys(names)))), grace, age)


def _erase(erasure: Erasure, grace: float, age: float) -> Search:
    """Clean until no file names the players, or nothing changes; return the files that still do."""
    found = erasure.search()
    report("before", f"{len(found.found)} files name {erasure.players}, of {found.scope}")
    for _ in range(_ROUNDS):
        before = set(found.found)
        if not before:
            break
        erasure.clean(found, grace)
        found = erasure.search()
        report("leftovers", erasure.remove_unknown(found, age))
        if set(found.found) == before:
            break
    return found


def _listed(prefix: str, texts: set[str]) -> tuple[str, dict[str, str]]:
    """Return texts as a list of parameters in SQL, and the parameters."""
    parameters = {f"{prefix}{number}": text for number, text in enumerate(sorted(texts))}
    return ", ".join(f":{name}" for name in parameters), parameters


def report(what: str, did: str) -> None:
    print(f"{what}: {did}", flush=True)
