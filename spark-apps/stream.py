"""Streaming job: load the topic into `events`, a batch every few seconds, each offset exactly once."""

import sys
import traceback

from game_settings.reader import SettingsError
from lake import stream
from lake.events_table import TableError
from lake.offsets import RangeError
from lake.settings import start
from lake.termination import causes


def main() -> int:
    try:
        stream.run(start())
    except (SettingsError, RangeError, TableError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # The cause comes first, then where it happened.
        print("error: the stream ended: " + "\n  and so: ".join(causes(error)), file=sys.stderr)
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
