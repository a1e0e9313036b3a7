"""Which offsets of the topic the table has: disjoint ranges of each partition.

An offset is covered once it was read, also if it has no record (markers of transactions, aborted and compacted records
have offsets too), if its row is a rejected event's or a tombstone, and if it was given up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lake.offsets import OffsetRange


@dataclass(frozen=True)
class Coverage:
    """The covered ranges of each known partition, in order, none of them touching the next."""

    partitions: Mapping[int, tuple[OffsetRange, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, ranges: Iterable[OffsetRange]) -> "Coverage":
        """Return what these ranges cover together; an empty range makes its partition known."""
        by_partition: dict[int, list[OffsetRange]] = {}
        for one in ranges:
            by_partition.setdefault(one.partition, []).append(one)
        return cls({number: _joined(by_partition[number]) for number in sorted(by_partition)})

    @classmethod
    def parse(cls, text: str) -> "Coverage":
        """Read what `str` wrote: `PARTITION:START-END …`."""
        return cls.of(map(OffsetRange.parse, text.split()))

    def __str__(self) -> str:
        return " ".join(str(one) for ranges in self.partitions.values() for one in ranges)

    def __or__(self, other: "Coverage") -> "Coverage":
        both = [one for side in (self, other) for ranges in side.partitions.values() for one in ranges]
        return Coverage.of(both)

    def end(self, partition: int) -> int:
        """Return the end of the last covered range; 0 if nothing is covered."""
        ranges = self.partitions.get(partition, ())
        return ranges[-1].end if ranges else 0

    def missing(self, within: OffsetRange) -> list[OffsetRange]:
        """Return the ranges inside this one that are not covered, in order."""
        missing, position = [], within.start
        for one in self.partitions.get(within.partition, ()):
            if one.end <= position:
                continue
            if one.start >= within.end:
                break
            if one.start > position:
                missing.append(OffsetRange(within.partition, position, one.start))
            position = one.end
        if position < within.end:
            missing.append(OffsetRange(within.partition, position, within.end))
        return missing


def _joined(ranges: Iterable[OffsetRange]) -> tuple[OffsetRange, ...]:
    joined: list[OffsetRange] = []
    for one in sorted(ranges, key=lambda r: (r.start, r.end)):
        if joined and one.start <= joined[-1].end:
            joined[-1] = OffsetRange(one.partition, joined[-1].start, max(joined[-1].end, one.end))
        else:
            joined.append(one)
    # Empty ones only show that the partition is known.
    return tuple(one for one in joined if one.size) or tuple(joined[:1])
