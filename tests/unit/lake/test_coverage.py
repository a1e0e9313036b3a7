"""Which offsets the table has, as ranges."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lake.coverage import Coverage
from lake.offsets import OffsetRange, limited

RANGES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 10)).map(
        lambda t: OffsetRange(t[0], t[1], t[1] + t[2])
    ),
    max_size=8,
)


def offsets(ranges: list[OffsetRange]) -> set[tuple[int, int]]:
    return {(one.partition, offset) for one in ranges for offset in range(one.start, one.end)}


@given(RANGES, RANGES)
def test_covered_and_missing_offsets(one: list[OffsetRange], other: list[OffsetRange]) -> None:
    """An offset is missing if, and only if, no range of either side has it; ranges are disjoint and in order."""
    both = Coverage.of(one) | Coverage.of(other)
    covered = offsets([*one, *other])
    for partition in range(3):
        missing = both.missing(OffsetRange(partition, 5, 35))
        assert offsets(missing) == {(partition, offset) for offset in range(5, 35)} - covered
        assert all(gap.size for gap in missing)
        ranges = both.partitions.get(partition, ())
        assert all(one.end < other.start for one, other in pairwise(ranges))
        assert both.end(partition) == max((o + 1 for p, o in covered if p == partition), default=both.end(partition))


@given(RANGES)
def test_written_and_read(ranges: list[OffsetRange]) -> None:
    """The text in a summary has everything, partitions without a covered offset included."""
    coverage = Coverage.of(ranges)
    assert Coverage.parse(str(coverage)) == coverage
    assert set(coverage.partitions) == {one.partition for one in ranges}


def test_as_text() -> None:
    """The text lists ranges as `--offsets` does."""
    ranges = [OffsetRange(1, 5, 9), OffsetRange(0, 0, 4), OffsetRange(0, 4, 6), OffsetRange(2, 0, 0)]
    assert str(Coverage.of(ranges)) == "0:0-6 1:5-9 2:0-0"


@pytest.mark.parametrize(("most", "expected"), [(100, "0:0-30 1:5-15"), (20, "0:0-15 1:5-10"), (1, "0:0-1 1:5-6")])
def test_a_batch_is_limited(most: int, expected: str) -> None:
    """A batch has about as many offsets as it may, of each partition in proportion."""
    ranges = [OffsetRange(0, 0, 30), OffsetRange(1, 5, 15)]
    assert " ".join(map(str, limited(ranges, most))) == expected
