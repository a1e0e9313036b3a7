"""Serve the API in memory, for tests of apps: no Kafka, no store of the world, no Trino.

The variables API_… of the service apply, but not those of its addresses. docs/testing-apps.md has examples.
"""

import argparse
import asyncio
import os
import sys

from game_events.rules import STAMINA_SECONDS
from game_settings.reader import SettingsError
from game_settings.start import start

from game_api.micro.micro import Micro
from game_api.micro.server import serve
from game_api.settings import Settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m game_api.micro", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=5000, help="0: any free port, which it prints (default: %(default)s)"
    )
    parser.add_argument(
        "--stamina-seconds",
        type=int,
        default=STAMINA_SECONDS,
        help="until a player has one stamina back; 0: actions take none (default: %(default)s)",
    )
    chosen = parser.parse_args()
    try:
        settings = start(Settings, ("API_", "LOG_"))
        micro = Micro(settings, chosen.stamina_seconds)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        asyncio.run(serve(micro, settings, chosen.host, chosen.port))
    except (OSError, OverflowError) as error:
        print(f"--host, --port: cannot listen on {chosen.host}:{chosen.port}: {error}", file=sys.stderr)
        return 1
    sys.stdout.flush()
    # Threads of pages that still wait for something would delay the end.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
