"""Make secrets, ingestion keys and players' tokens.

A key is shown once, on standard error; the line for the file of keys, with its digest, is standard output.
"""

import argparse
import os
import sys
from time import time

from game_events import InvalidEventError
from game_events.names import prepared
from game_settings.reader import SettingsError

from game_api.identity.caller import KEY_SCOPES
from game_api.identity.ingestion_keys import digest, new_key
from game_api.identity.player_tokens import SETTING, PlayerTokens, new_secret


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m game_api.identity", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("secret", help=f"print a line for the file {SETTING}")
    key = commands.add_parser("key", help="make an ingestion key, and print its line for the file API_KEYS")
    key.add_argument("name", help="without the scope players:any, also the player of its events")
    key.add_argument("scopes", nargs="+", choices=sorted(KEY_SCOPES))
    token = commands.add_parser("token", help=f"print a token for a player, signed with {SETTING}; it ends all others")
    token.add_argument("player")
    token.add_argument("--days", type=int, default=365, help="how long it is valid")
    chosen = parser.parse_args()
    if chosen.command == "secret":
        print(new_secret())
    elif chosen.command == "key":
        made = new_key()
        print(made, file=sys.stderr)
        print(chosen.name, digest(made), ",".join(chosen.scopes))
    else:
        try:
            print(_token(chosen.player, chosen.days))
        except (SettingsError, InvalidEventError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _token(player: str, days: int) -> str:
    # The earliest claim holds. One before 1970 precedes those of players, and the last of these the others.
    return PlayerTokens(os.environ.get(SETTING, ""), days).issue(prepared("player", player), -int(time() * 1000))


if __name__ == "__main__":
    sys.exit(main())
