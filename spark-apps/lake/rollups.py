"""The table `rollups`: see `game_events.rollups`.

Each run is one commit, which says what it is based on. So a run that is killed leaves only orphan files, and of two
runs at once one is refused, or both are ignored until the next run.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from game_events import REJECTED
from game_events.rollups import (
    BASE,
    EVENTS_SNAPSHOT,
    MAX_REJECTED,
    REJECTED_SINCE,
    ROLLUPS,
    SCHEMA,
    SETTLED,
    TOTAL,
    UNDECIDED_BEFORE,
    Rollup,
    events_snapshot,
    is_change,
)
from game_events.table import literal
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake import days, history
from lake.events_writer import append
from lake.java_class import Java
from lake.java_iterable import each
from lake.settings import EVENTS
from lake.settings import ROLLUPS as TABLE
from lake.staged_files import staged

_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.compression-codec": "gzip",
    "write.metadata.delete-after-commit.enabled": "true",
    "engine.hive.lock-enabled": "false",
    # Manifests then have no bounds of names, so that an erasure need not look for names there.
    "write.metadata.metrics.column.player": "none",
    "write.metadata.metrics.column.target": "none",
}


def create(spark: SparkSession, location: str) -> None:
    """Create the table, which is empty until maintenance fills it."""
    columns = ", ".join(f"{name} {kind} COMMENT {literal(doc)}" for name, (kind, doc) in SCHEMA.items())
    properties = ", ".join(f"'{name}'='{value}'" for name, value in _PROPERTIES.items())
    spark.sql(
        f"CREATE TABLE IF NOT EXISTS {TABLE} ({columns}) USING iceberg "
        f"PARTITIONED BY (kind, day) LOCATION '{location}' TBLPROPERTIES ({properties})"
    )


def roll_up(spark: SparkSession) -> str:
    """Bring the table up to the rows of `events` that are decided now. Raises ConflictError.

    Rows that were only decided are added. Otherwise the days of which decided rows changed are added up again; all
    days, if the table does not say which rows it has, or the history of `events` since then is not known.
    """
    if not spark.catalog.tableExists(TABLE):
        return f"{TABLE} does not exist: run tables.py"
    events, table = history.table(spark), history.table(spark, TABLE)
    if events.currentSnapshot() is None:
        return "no rows"
    snapshot = int(events.currentSnapshot().snapshotId())
    base = table.currentSnapshot()
    known = _events_snapshot(base)
    if known == snapshot:
        return "nothing changed"
    changed = None if known is None else _changed(events, known)
    said = {EVENTS_SNAPSHOT: str(snapshot)} | ({} if base is None else {BASE: str(base.snapshotId())})
    if changed is not None and not changed.days:
        if not changed.decided:
            if since := base.summary().get(REJECTED_SINCE):
                said[REJECTED_SINCE] = since
            append(table, said)
            return "no decided row changed"
        if tasks := _tasks(spark, events, snapshot, changed.decided):
            _add(spark, events, tasks, base, said)
            return f"{len(tasks)} files of decided rows added"
    days = None if changed is None else {*changed.days, *changed.decided.values()}
    _replace(spark, snapshot, None if base is None else int(base.snapshotId()), days, said)
    return "all days added up" if days is None else f"{len(days)} days added up"


def _events_snapshot(rolled: Java) -> int | None:
    if rolled is None:
        return None
    summary = rolled.summary()
    return events_snapshot(rolled.parentId(), summary.get(BASE), summary.get(EVENTS_SNAPSHOT))


@dataclass(frozen=True)
class _Changed:
    """The days of which decided rows may have changed. The files whose rows were only decided, and their days."""

    days: set[date] = field(default_factory=set)
    decided: dict[str, date] = field(default_factory=dict)


def _changed(events: Java, since: int) -> _Changed | None:
    """Return what changed since a snapshot; None if that is not known."""
    found = _Changed()
    counts = events.schema().findField("counts")
    snapshot, io = events.currentSnapshot(), events.io()
    while snapshot.snapshotId() != since:
        summary = snapshot.summary()
        if summary.get(UNDECIDED_BEFORE) and snapshot.operation() == "replace":
            for file in snapshot.addedDataFiles(io):
                nulls = file.nullValueCounts()
                if nulls is None or nulls.get(counts.fieldId()) != file.recordCount():
                    found.decided[file.location()] = days.of(file)
        elif is_change(snapshot.operation(), summary.get(SETTLED)):
            for files in (
                snapshot.addedDataFiles,
                snapshot.removedDataFiles,
                snapshot.addedDeleteFiles,
                snapshot.removedDeleteFiles,
            ):
                found.days.update(days.of(file) for file in files(io))
        parent = snapshot.parentId()
        if parent == since:
            break
        snapshot = None if parent is None else events.snapshot(parent)
        if snapshot is None:
            return None
    return found


def _tasks(spark: SparkSession, events: Java, snapshot: int, decided: Mapping[str, date]) -> list[Java]:
    """Return the tasks that read these files in a snapshot; none unless it has all of them."""
    within = days.expression(spark, days.ranges(decided.values()))
    planned = events.newScan().useSnapshot(snapshot).filter(within).ignoreResiduals().planFiles()
    tasks = [task for task in each(planned) if task.file().location() in decided]
    return tasks if len(tasks) == len(decided) else []


def _add(spark: SparkSession, events: Java, tasks: Sequence[Java], base: Java, said: dict[str, str]) -> None:
    """Add the rows of some files, all decided since the snapshot `base`, in one commit."""
    known = int(base.snapshotId())
    own = f"{TABLE} VERSION AS OF {known}"
    listed = {days.of(task.file()) for task in tasks}
    with staged(spark, events, tasks, {}) as files:
        files.rows().createOrReplaceTempView("newly_decided")
        by_day, totals = [], []
        for one in ROLLUPS:
            names = ", ".join(one.names)
            new = one.decided_parts("newly_decided", "true")
            of_days = f"SELECT day, {names} FROM {own} WHERE kind = '{one.name}' AND {_is_of(listed)}"
            by_day.append(_rows(one, one.merged(f"{of_days} UNION ALL SELECT day, {names} FROM ({new})", "day"), "day"))
            if one.is_total:
                totals.append(_rows(one, one.merged(f"{one.totals(own)} UNION ALL SELECT {names} FROM ({new})")))
        # Nothing is taken away, so that older minutes of other days stay out of the newest rejected records.
        since = base.summary().get(REJECTED_SINCE)
        others = f"minute >= TIMESTAMP '{since}'" if since else "false"
        _write(spark, spark.sql(" UNION ALL ".join(by_day)), " UNION ALL ".join(totals), known, listed, said, others)


def _replace(
    spark: SparkSession, snapshot: int, base: int | None, days: Collection[date] | None, said: dict[str, str]
) -> None:
    """Replace the rows of these days, by default of all, and those of all days together, in one commit."""
    totals = " UNION ALL ".join(
        _rows(one, one.merged(f"SELECT * FROM rolled_days WHERE kind = '{one.name}'"))
        for one in ROLLUPS
        if one.is_total
    )
    _write(spark, spark.sql(_added_up(snapshot, days)), totals, base, days, said)


def _write(
    spark: SparkSession,
    changed: DataFrame,
    totals: str,
    base: int | None,
    days: Collection[date] | None,
    said: dict[str, str],
    others: str = "true",
) -> None:
    """Replace the rows of these days, by default of all, and the totals, which may be selected from `rolled_days`.

    That view has these days, and of other days the rows that match `others`.
    """
    changed = changed.persist()
    try:
        every = changed
        replaced = "true"
        if days is not None:
            kept = spark.sql(f"SELECT * FROM {TABLE} VERSION AS OF {base} WHERE NOT {_is_of(days)} AND {others}")
            every = kept.union(changed)
            replaced = f"{TOTAL} OR {_is_of(days)}"
        every.createOrReplaceTempView("rolled_days")
        writer = changed.union(spark.sql(totals)).writeTo(TABLE).option("isolation-level", "serializable")
        if since := _rejected_since(every):
            said = said | {REJECTED_SINCE: since}
        for name, value in said.items():
            writer = writer.option(f"snapshot-property.{name}", value)
        if base is not None:
            writer = writer.option("validate-from-snapshot-id", str(base))
        writer.overwrite(F.expr(replaced))
    finally:
        changed.unpersist()


def _is_of(days: Collection[date]) -> str:
    listed = ", ".join(f"DATE '{day}'" for day in sorted(days))
    return f"day IN ({listed})"


def _added_up(snapshot: int, days: Iterable[date] | None) -> str:
    """Select the rollups of these days, by default of all, from a snapshot of `events`."""
    where = "true"
    if days is not None:
        where = " OR ".join(
            f"received_at >= TIMESTAMP '{day} 00:00:00' "
            f"AND received_at < TIMESTAMP '{day + timedelta(days=1)} 00:00:00'"
            for day in sorted(days)
        )
    events = f"{EVENTS} VERSION AS OF {snapshot}"
    return " UNION ALL ".join(
        _rows(one, one.merged(one.decided_parts(events, f"({where})"), "day"), "day") for one in ROLLUPS
    )


def _rows(rollup: Rollup, query: str, *also: str) -> str:
    """Select the rows of the table for one rollup; `query` has some of the table's columns, and `also` these."""
    given = {*rollup.names, *also}
    columns = (
        f"CAST({column if column in given else 'NULL'} AS {kind}) AS {column}"
        for column, (kind, _) in SCHEMA.items()
        if column != "kind"
    )
    return f"SELECT {literal(rollup.name)} AS kind, {', '.join(columns)} FROM ({query}) AS added"


def _rejected_since(every: DataFrame) -> str | None:
    """Return the minute since when there are MAX_REJECTED rejected records in the rollups, or that of the first."""
    minutes = every.sparkSession.sql(
        "SELECT date_format(minute, 'yyyy-MM-dd HH:mm:ss') AS since, sum(number) AS number FROM {every} "
        f"WHERE kind = 'activity' AND family = {literal(REJECTED)} "
        f"GROUP BY minute ORDER BY minute DESC LIMIT {MAX_REJECTED}",
        every=every,
    ).collect()
    found, since = 0, None
    for row in minutes:
        if found < MAX_REJECTED:
            found, since = found + row.number, row.since
    return since


def expire(spark: SparkSession, older_than: datetime, kept: int = 1) -> str:
    """Expire older snapshots but the last `kept` ones, and delete the files that only they refer to."""
    if not spark.catalog.tableExists(TABLE):
        return "no table"
    done: Any = spark.sql(
        f"CALL lake.system.expire_snapshots(table => '{TABLE}', retain_last => {kept}, "
        f"older_than => TIMESTAMP '{older_than.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}')"
    ).first()
    return f"{sum(done)} files deleted"
