"""Which events add and remove items, as the table of which the model of the economy is made.

`python -m game_events.item_rules` prints it as CSV.
"""

import csv
import sys
from collections.abc import Iterator

from game_events.catalog import EVENT_TYPES

HEADER = ("event_type", "won", "item", "from_column", "number")
Rule = tuple[str, str, str, str, int]


def item_rules() -> Iterator[Rule]:
    """Yield each change of a number of items: for which result, of which item or the one that a column names."""
    for name, event_type in EVENT_TYPES.items():
        for result in event_type.results:
            won = "" if len(event_type.results) == 1 else str(result is event_type.results[0]).lower()
            for item, number in result.items.items():
                yield (name, won, *_item(item), number)
            if result.loot:
                yield (name, won, "", "loot", 1)
            if result.gift:
                yield (name, won, *_item(result.gift), 1)


def _item(template: str) -> tuple[str, str]:
    return ("", template[1:-1]) if template.startswith("{") else (template, "")


if __name__ == "__main__":
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows((HEADER, *item_rules()))
