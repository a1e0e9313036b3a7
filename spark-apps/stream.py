"""Streaming job: the topic becomes rows of `events`, a batch every few seconds, each offset exactly once."""

import sys
import traceback

from game_settings.reader import SettingsError
from lake import stream
from lake.checkpoint import CheckpointError
from lake.events_table import TableError
from lake.offsets import RangeError
from lake.settings import start
from lake.termination import causes


def main() -> int:
    try:
        stream.run(start())
    except (SettingsError, RangeError, CheckpointError, TableError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # Whatever it is: first the cause, then where it came from.
        print("error: the stream ended: " + "\n  and so: ".join(causes(error)), file=sys.stderr)
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
