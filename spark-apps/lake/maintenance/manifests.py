"""Manifests: few for each day, so that a query on a day opens few files however long the table's history is.

A run rewrites only manifests that are small, or that have to be sorted by day: never all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

from pyspark.sql import SparkSession

from lake import history
from lake.events_table import MANIFEST_BYTES, PROPERTIES
from lake.java_class import java_class
from lake.maintenance import changes

Java = Any
"""An object of the JVM."""

_MANY = 10
"""More manifests than this are merged, if they are small or have files of one day."""


@dataclass(frozen=True)
class _Manifest:
    """`size` is in bytes; `first` and `last` are days."""

    java: Java
    size: int
    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def merge(spark: SparkSession) -> str:
    """Merge small manifests, if there are many; split large ones, and sort those by day of which many have the same."""
    table = history.table(spark)
    current = table.currentSnapshot()
    found = [] if current is None else [_read(spark, one) for one in current.dataManifests(table.io())]
    full = int(table.properties().get(MANIFEST_BYTES) or PROPERTIES[MANIFEST_BYTES])
    chosen = _chosen(found, full)
    if not chosen:
        return f"{len(found)} manifests are few enough"
    same = java_class(spark, "java.util.function.Predicate").isEqual
    is_chosen = reduce(lambda one, other: getattr(one, "or")(other), (same(each.java) for each in chosen))
    actions = java_class(spark, "org.apache.iceberg.spark.actions.SparkActions").get(spark._jsparkSession)
    # It sorts the files by partition, which is by day.
    done = actions.rewriteManifests(table).rewriteIf(is_chosen).execute()
    replaced, created = (len(list(one)) for one in (done.rewrittenManifests(), done.addedManifests()))
    return f"{replaced} of {len(found)} manifests became {created}"


def _read(spark: SparkSession, manifest: Java) -> _Manifest:
    return _Manifest(manifest, int(manifest.length()), *changes.bounds(spark, manifest))


def _chosen(found: Sequence[_Manifest], full: int) -> Sequence[_Manifest]:
    """Return the manifests to rewrite."""
    small = [one for one in found if one.size < full // 2]
    if len(small) > _MANY:
        return small
    # Those of tables that had other properties.
    large = [one for one in found if one.size > 4 * full]
    if large:
        return large
    # Of manifests that are sorted by day, few have the same one.
    for day in sorted({one.first for one in found}):
        having = [one for one in found if one.first <= day <= one.last]
        # But for a day with so many files that they fill the manifests.
        needed = sum(one.size / one.days for one in having) / full
        if len(having) > needed + _MANY:
            return having
    return ()
