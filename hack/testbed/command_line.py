"""How a command ends: with its exit code, or with an error in one line."""

import signal
import sys
from collections.abc import Callable

INTERRUPTED = 130


def exit_code(command: Callable[[], int], *errors: type[Exception]) -> int:
    """Run a command and return its exit code; an error of these types is printed, without a traceback."""
    # SIGTERM cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return command()
    except errors as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
