"""The rows of the table and of its views, as the ledger compares them."""

from collections.abc import Iterator, Mapping

from game_events import FAMILIES
from settings import EVENTS

from local import answers
from local.ledger import KEY_PREFIX
from local.places import Row
from local.settings import Settings


def bounds(settings: Settings) -> dict[int, range]:
    """From each partition's lowest offset that is a row to its highest."""
    query = f"SELECT kafka_partition, min(kafka_offset), max(kafka_offset) FROM {EVENTS} GROUP BY 1"
    return {partition: range(low, high + 1) for partition, low, high in answers.ask(settings, query)[1]}


def count(settings: Settings, windows: Mapping[int, range]) -> int:
    """How many rows there are of these offsets."""
    return answers.count(settings, f"{EVENTS} WHERE {_inside(windows)}")


def read(settings: Settings, partition: int, offsets: range) -> Iterator[Row]:
    query = (
        "SELECT kafka_offset, family, event_id, lower(to_hex(sha256(raw_value))) "
        f"FROM {EVENTS} WHERE {_inside({partition: offsets})}"
    )
    return (Row(*row) for row in answers.ask(settings, query)[1])


def shown(settings: Settings, windows: Mapping[int, range]) -> Iterator[str]:
    """The ids of players' events in the views, each as often as it is there."""
    for family in FAMILIES:
        query = f"SELECT event_id FROM {family} WHERE event_id LIKE '{KEY_PREFIX}%' AND ({_inside(windows)})"
        for (event_id,) in answers.ask(settings, query)[1]:
            yield event_id


def _inside(windows: Mapping[int, range]) -> str:
    parts = (
        f"(kafka_partition = {partition} AND kafka_offset >= {offsets.start} AND kafka_offset < {offsets.stop})"
        for partition, offsets in windows.items()
    )
    return " OR ".join(parts)
