"""Moves a table, and the catalog, to paths of another name of the same file system.

Older versions wrote the NameNode's host and port into every path of a table's metadata. The files stay where they are:
only manifests are written again, and one commit replaces the old ones. Readers and writers may go on meanwhile.
"""

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress

from pyspark.sql import SparkSession

from lake import commits, history
from lake.events_table import TableError
from lake.events_writer import carry
from lake.java_class import Java, java_class
from lake.java_iterable import each
from lake.maintenance import compaction
from lake.metastore import metastore
from lake.settings import EVENTS, FILE_SYSTEM, ROLLUPS, Settings

_KEPT_METADATA = "write.metadata.previous-versions-max"
_EXPIRY = "gc.enabled"
_GRACE = 30.0
"""Seconds that an expiry takes at most until its commit, which is at its beginning."""
_ROUNDS = 5
"""Others commit in between."""


def move_all(spark: SparkSession, settings: Settings) -> None:
    """Move the tables, and what else the catalog has of the same file system; print what was done."""
    for name in (EVENTS, ROLLUPS):
        if spark.catalog.tableExists(name):
            print(f"{name}: {move(spark, name)}", flush=True)
    for line in _move_catalog(spark, settings):
        print(line, flush=True)


def move(spark: SparkSession, name: str, file_system: str = FILE_SYSTEM, grace: float = _GRACE) -> str:
    """Move one Iceberg table; describe what was done.

    Raises TableError: no path has changed then, but no snapshot of the table expires until this is run again.
    """
    done = f"is at {file_system}"
    if _old_path(spark, name, file_system):
        # An expiry that knew only the old paths would find that the new snapshot needs none of these, and delete them:
        # they are the table's files. None begins from now on, and those that have begun will have looked.
        spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('{_EXPIRY}'='false')")
        time.sleep(grace)
    for _ in range(_ROUNDS):
        if not _old_path(spark, name, file_system):
            _forget_old_metadata(spark, name)
            return done
        if name == EVENTS:
            # A mark names the file whose row it deletes.
            compaction.apply_deletes(spark)
        # What others commit meanwhile is left to the next round.
        with suppress(commits.RefusedError):
            done = f"{_rewrite(spark, name, file_system)} files are now at {file_system}"
    raise TableError(f"{name}: others commit faster than this: stop the stream and maintenance, and run it again")


def _old_path(spark: SparkSession, name: str, file_system: str) -> str:
    """Return a path of the table that is not of this file system; empty if there is none."""
    table = history.table(spark, name)
    paths = [table.location()]
    if table.currentSnapshot() is not None:
        for kind in ("files", "manifests"):
            column = "file_path" if kind == "files" else "path"
            other = spark.table(f"{name}.{kind}").where(f"NOT startswith({column}, '{file_system}/')")
            paths += [row[0] for row in other.select(column).limit(1).collect()]
        paths += [snapshot.manifestListLocation() for snapshot in table.snapshots()]
    return next((path for path in paths if not path.startswith(f"{file_system}/")), "")


def _rewrite(spark: SparkSession, name: str, file_system: str) -> int:
    """Write all manifests again, and let them be the table's only snapshot; return the number of its files."""
    table, summary = history.table(spark, name), dict[str, str]()
    if name == EVENTS:
        table, state = carry(spark)
        summary = state.summary(state.topic_id) if state.topic_id else {}
    if others := [ref for ref in table.refs() if ref != "main"]:
        raise TableError(f"{name}: drop the branches and tags {', '.join(others)} first: they would keep old paths")
    snapshot, location = table.currentSnapshot(), _at(file_system, table.location())
    change = table.newTransaction()
    change.updateLocation().setLocation(location).commit()
    # Until it is forgotten, the last file of metadata with old paths is in the log of metadata files.
    change.updateProperties().set(_KEPT_METADATA, "1").set(_EXPIRY, "true").commit()
    count = 0
    if snapshot is not None:
        if any(one.hasAddedFiles() or one.hasExistingFiles() for one in snapshot.deleteManifests(table.io())):
            raise TableError(f"{name}: has rows that are only marked deleted: run maintenance, then this again")
        present = _sizes(table, location)
        rewrite = change.rewriteManifests()
        for manifest in snapshot.deleteManifests(table.io()):
            rewrite.deleteManifest(manifest)
        for manifest in snapshot.dataManifests(table.io()):
            new, files = _rewritten(spark, table, manifest, file_system, present)
            rewrite.deleteManifest(manifest)
            if files:
                rewrite.addManifest(new)
            count += files
        commits.saying(rewrite, summary).commit()
        # Their paths mean the same files as the new ones: expiry must never delete what only they name.
        expiry = change.expireSnapshots().cleanupLevel(_nothing(spark))
        for one in table.snapshots():
            expiry.expireSnapshotId(one.snapshotId())
        expiry.commit()
    change.updateProperties().set(_EXPIRY, "false").commit()
    commits.commit(_Transaction(change), table)
    return count


class _Transaction:
    """A transaction as a change of its own."""

    def __init__(self, java: Java) -> None:
        self._java = java

    def commit(self) -> None:
        self._java.commitTransaction()


def _rewritten(
    spark: SparkSession, table: Java, manifest: Java, file_system: str, present: dict[str, int]
) -> tuple[Java, int]:
    """Write a manifest with the new paths of the same files; return it, and the number of files."""
    manifests = java_class(spark, "org.apache.iceberg.ManifestFiles")
    builder = java_class(spark, "org.apache.iceberg.DataFiles").builder
    spec = table.specs()[manifest.partitionSpecId()]
    path = f"{_at(file_system, table.location())}/metadata/{uuid.uuid4()}-moved.avro"
    writer, count = manifests.write(2, spec, table.io().newOutputFile(path), None), 0
    for file in each(manifests.read(manifest, table.io(), table.specs())):
        location = file.location()
        if present.get(_path(location)) != file.fileSizeInBytes():
            raise TableError(f"{location}: is not at {file_system}, or has another size: it cannot be moved")
        moved = builder(spec).copy(file).withPath(_at(file_system, location)).build()
        writer.existing(moved, manifest.snapshotId(), file.dataSequenceNumber(), file.fileSequenceNumber())
        count += 1
    writer.close()
    return writer.toManifestFile(), count


def _sizes(table: Java, location: str) -> dict[str, int]:
    """Return the size of each file under a location, by its path without the file system."""
    found = table.io().listPrefix(location).iterator()
    sizes = {}
    while found.hasNext():
        file = found.next()
        sizes[_path(file.location())] = file.size()
    return sizes


def _forget_old_metadata(spark: SparkSession, name: str) -> None:
    """Let the table that was moved be as others, without old paths in the log of its metadata files."""
    # The log has one entry until the second commit: the first pushes out the one with old paths.
    for one in (_EXPIRY, _KEPT_METADATA):
        if one in history.table(spark, name).properties():
            spark.sql(f"ALTER TABLE {name} UNSET TBLPROPERTIES ('{one}')")


def _move_catalog(spark: SparkSession, settings: Settings) -> Iterator[str]:
    """Move schemas and plain Hive tables; yield a line on each, and on tables of Iceberg that are left."""
    with metastore(spark, settings.metastore_uri) as client:
        for schema in client.getAllDatabases():
            database = client.getDatabase(schema)
            if _is_elsewhere(database.getLocationUri()):
                database.setLocationUri(_at(FILE_SYSTEM, database.getLocationUri()))
                client.alterDatabase(schema, database)
                # The metastore does not say when it ignores this.
                location = client.getDatabase(schema).getLocationUri()
                yield f"schema {schema}: is {'left' if _is_elsewhere(location) else 'now'} at {location}"
            for name in client.getAllTables(schema):
                table = client.getTable(schema, name)
                files = table.getSd()
                if not _is_elsewhere(files.getLocation()):
                    continue
                # Its metadata has more paths.
                if "metadata_location" in table.getParameters():
                    yield f"{schema}.{name}: is left at {files.getLocation()}"
                    continue
                files.setLocation(_at(FILE_SYSTEM, files.getLocation()))
                client.alter_table(schema, name, table)
                yield f"{schema}.{name}: is now at {files.getLocation()}"


def _is_elsewhere(location: str | None) -> bool:
    return bool(location) and str(location).startswith("hdfs:") and not str(location).startswith(f"{FILE_SYSTEM}/")


def _at(file_system: str, location: str) -> str:
    return f"{file_system}{_path(location)}"


def _path(location: str) -> str:
    """Return a location without its file system; names of partitions may contain any character."""
    return re.sub(r"^[a-z0-9]+:(//[^/]*)?", "", location)


def _nothing(spark: SparkSession) -> Java:
    return java_class(spark, "org.apache.iceberg.ExpireSnapshots.CleanupLevel").NONE
