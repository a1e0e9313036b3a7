"""Manifests: few for each day, so that a query on a day opens few files however long the table's history is.

A run rewrites only manifests that are small, or that have to be sorted by day: never all of them.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.sql import SparkSession

from lake import commits, history
from lake.events_table import MANIFEST_BYTES, PROPERTIES
from lake.java_class import Java, java_class
from lake.maintenance import changes

_MANY = 10
"""More manifests than this are merged, if they are small or have files of one day."""


@dataclass(frozen=True)
class _Manifest:
    """`size` is in bytes, and most of a small one's is its header; `first` and `last` are days."""

    java: Java
    size: int
    files: int
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
    chosen, most = _chosen(found, full)
    if not chosen:
        return f"{len(found)} manifests are few enough"
    same = java_class(spark, "java.util.function.Predicate").isEqual
    is_chosen = reduce(lambda one, other: getattr(one, "or")(other), (same(each.java) for each in chosen))
    rewrite = table.rewriteManifests().clusterBy(by_day(spark, _width(chosen, full, most))).rewriteIf(is_chosen)
    commits.commit(rewrite, table)
    summary = table.currentSnapshot().summary()
    return f"{summary['manifests-replaced']} of {len(found)} manifests became {summary['manifests-created']}"


def _read(spark: SparkSession, manifest: Java) -> _Manifest:
    files = manifest.addedFilesCount() + manifest.existingFilesCount()
    return _Manifest(manifest, int(manifest.length()), max(1, files), *changes.bounds(spark, manifest))


def _chosen(found: Sequence[_Manifest], full: int) -> tuple[Sequence[_Manifest], int]:
    """Return the manifests to rewrite, and into how many at most if all are full."""
    small = [one for one in found if one.size < full // 2]
    if len(small) > _MANY:
        return small, len(small) // 2
    # Those of tables that had other properties.
    large = [one for one in found if one.size > 4 * full]
    if large:
        return large, sys.maxsize
    # Of manifests that are sorted by day, few have the same one.
    for day in sorted({one.first for one in found}):
        having = [one for one in found if one.first <= day <= one.last]
        # But for a day with so many files that they fill the manifests.
        needed = sum(one.size / one.days for one in having) / full
        if len(having) > needed + _MANY:
            return having, sys.maxsize
    return (), 0


def _width(chosen: Sequence[_Manifest], full: int, most: int) -> int:
    """Return how many consecutive days make one full manifest, and `most` manifests or fewer."""
    span = (max(one.last for one in chosen) - min(one.first for one in chosen)).days + 1
    per_file = min(one.size / one.files for one in chosen)
    count = max(1, int(sum(one.files for one in chosen) * per_file / full))
    return max(span // count, -(-span // most), 1)


def by_day(spark: SparkSession, width: int) -> Java:
    """Return Java's function of a file to its day's number, divided by `width`: files of one value share manifests."""
    handles = java_class(spark, "java.lang.invoke.MethodHandles")
    kind, types = java_class(spark, "java.lang.Class").forName, java_class(spark, "java.lang.invoke.MethodType")
    lookup = handles.publicLookup()
    loader = spark._jvm.Thread.currentThread().getContextClassLoader()  # type: ignore[union-attr]

    def named(name: str) -> Java:
        return kind(name, True, loader)

    number, thing = java_class(spark, "java.lang.Integer").TYPE, named("java.lang.Object")
    struct, file = named("org.apache.iceberg.StructLike"), named("org.apache.iceberg.ContentFile")
    partition = lookup.findVirtual(file, "partition", types.methodType(struct))
    of_number = types.methodType(thing, number, _array(spark, "java.lang.Class", named("java.lang.Class")))
    get = lookup.findVirtual(struct, "get", of_number)
    first = handles.insertArguments(get, 1, _array(spark, "java.lang.Object", 0, named("java.lang.Integer")))
    day = handles.filterReturnValue(partition, first.asType(types.methodType(number, struct)))
    of_two = types.methodType(number, number, _array(spark, "java.lang.Class", number))
    divide = lookup.findStatic(named("java.lang.Math"), "floorDiv", of_two)
    function = handles.filterReturnValue(
        day, handles.insertArguments(divide, 1, _array(spark, "java.lang.Object", width))
    )
    return java_class(spark, "java.lang.invoke.MethodHandleProxies").asInterfaceInstance(
        named("java.util.function.Function"), function.asType(types.methodType(thing, thing))
    )


def _array(spark: SparkSession, kind: str, *values: object) -> Java:
    array = spark.sparkContext._gateway.new_array(java_class(spark, kind), len(values))  # type: ignore[union-attr]
    for number, value in enumerate(values):
        array[number] = value
    return array
