"""The lines of files, numbered from 1; in a Parquet file, each row is a line."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import TimestampNTZType, TimestampType

from lake.imports.files import PARTITION, FileError, SourceFile, path_of
from lake.offsets import OffsetRange
from lake.termination import root_cause

SPLITTING = {
    # Blocks then depend on the sizes of the files alone: the same line is in the same block each time.
    "spark.sql.files.minPartitionNum": "1",
    "spark.sql.files.maxPartitionBytes": str(32 << 20),
}


@dataclass(frozen=True)
class Part:
    """Lines of a file, from `first` up to, but excluding, `end`."""

    file: SourceFile
    first: int
    end: int

    def __str__(self) -> str:
        return f"{self.file.path}:{self.first}-{self.end - 1}"

    @property
    def size(self) -> int:
        return self.end - self.first

    @property
    def offsets(self) -> OffsetRange:
        return OffsetRange(PARTITION, self.file.before + self.first, self.file.before + self.end)


def place(parts: Sequence[Part], offset: int) -> str:
    """Return the file and the line that have an offset."""
    part = next(one for one in parts if one.offsets.start <= offset < one.offsets.end)
    return f"{part.file.path}, line {offset - part.file.before}"


class Lines:
    """The lines of files of one format. Raises FileError if they cannot be read."""

    def __init__(self, spark: SparkSession, files: Sequence[SourceFile]) -> None:
        self._spark = spark
        for name, value in SPLITTING.items():
            spark.conf.set(name, value)
        self._files = {file.path: file for file in files}
        try:
            read = self._parquet if files[0].is_parquet else self._text
            self._lines, counts = read([_literal(path) for path in sorted(self._files)])
        except (PySparkException, Py4JJavaError) as error:
            raise FileError(f"{', '.join(self._files)}: cannot be read: {root_cause(error)}") from error
        self._addresses = {path_of(spark, address): address for address in counts}
        self._counts = {path: counts[address] for path, address in self._addresses.items()}

    def parts(self, most: int) -> Iterator[list[Part]]:
        """Yield all lines in order, at most `most` at a time."""
        chosen: list[Part] = []
        left = most
        for path, count in sorted(self._counts.items()):
            first = 1
            while first <= count:
                part = Part(self._files[path], first, min(first + left, count + 1))
                chosen.append(part)
                first, left = part.end, left - part.size
                if not left:
                    yield chosen
                    chosen, left = [], most
        if chosen:
            yield chosen

    def records(self, parts: Sequence[Part], time: datetime) -> DataFrame:
        """Return these lines, but for blank ones, as records with the columns of Spark's Kafka source.

        The key says the file and the line.
        """
        listed = [(self._addresses[one.file.path], one.file.path, one.file.before, one.first, one.end) for one in parts]
        chosen = self._spark.createDataFrame(listed, "address STRING, path STRING, before LONG, first LONG, end LONG")
        within = self._lines.join(F.broadcast(chosen), "address").where("line >= first AND line < end")
        return within.where(F.col("value").rlike(r"\S")).select(
            F.concat_ws(":", "path", "line").cast("binary").alias("key"),
            F.col("value").cast("binary").alias("value"),
            F.lit(PARTITION).alias("partition"),
            (F.col("before") + F.col("line")).alias("offset"),
            F.lit(time).alias("timestamp"),
        )

    def _text(self, paths: list[str]) -> tuple[DataFrame, Mapping[str, int]]:
        text = self._spark.read.option("lineSep", "\n").text(paths)
        placed = text.select(
            F.col("_metadata.file_path").alias("address"),
            F.col("_metadata.file_block_start").alias("block"),
            F.monotonically_increasing_id().alias("id"),
            "value",
        )
        blocks = placed.groupBy("address", "block").agg(F.min("id").alias("least"), F.count("*").alias("size"))
        counts = defaultdict[str, int](int)
        starts = []
        for one in sorted(blocks.collect(), key=lambda one: (one.address, one.block)):
            starts.append((one.address, one.block, counts[one.address] + 1 - one.least))
            counts[one.address] += one.size
        shifts = self._spark.createDataFrame(starts, "address STRING, block LONG, shift LONG")
        numbered = placed.join(F.broadcast(shifts), ["address", "block"])
        return numbered.select("address", (F.col("id") + F.col("shift")).alias("line"), "value"), counts

    def _parquet(self, paths: list[str]) -> tuple[DataFrame, Mapping[str, int]]:
        rows = self._spark.read.option("mergeSchema", "true").parquet(*paths)
        # As the contract has times. Without a value, a field is missing.
        fields = [
            F.unix_millis(F.col(f"`{one.name}`").cast("timestamp")).alias(one.name)
            if isinstance(one.dataType, TimestampType | TimestampNTZType)
            else F.col(f"`{one.name}`")
            for one in rows.schema
        ]
        lines = rows.select(
            F.col("_metadata.file_path").alias("address"),
            (F.col("_metadata.row_index") + 1).alias("line"),
            F.to_json(F.struct(*fields)).alias("value"),
        )
        counts = {row["address"]: row["count"] for row in lines.groupBy("address").count().collect()}
        return lines, counts


def _literal(path: str) -> str:
    """Return the pattern that matches only this path."""
    return re.sub(r"([{}\[\]*?\\])", r"\\\1", path)
