"""Ingestion keys: a file of digests with scopes."""

import subprocess
import sys
from pathlib import Path

import pytest
from game_api.identity.caller import EVENTS_WRITE, PLAYERS_ANY
from game_api.identity.errors import UnauthorizedError
from game_api.identity.ingestion_keys import IngestionKeys, digest, new_key
from game_settings.reader import SettingsError
from testbed.waiting import wait_until

from tests.unit.game_api.identity.provider import write


def test_a_key_has_its_scopes(tmp_path: Path) -> None:
    """A key writes as the player of its name; with the scope `players:any` for any player."""
    one, two = new_key(), new_key()
    text = f"# keys\nKiosk {digest(one)} events:write\nloader {digest(two)} events:write,players:any\n"
    keys = IngestionKeys(write(tmp_path / "keys", text))
    kiosk, loader = keys.verify(one), keys.verify(two)
    assert (kiosk.player, kiosk.key, kiosk.scopes) == ("kiosk", "kiosk", {EVENTS_WRITE})
    assert (loader.player, loader.key, loader.scopes) == ("", "loader", {EVENTS_WRITE, PLAYERS_ANY})
    for other in (new_key(), digest(one), ""):
        with pytest.raises(UnauthorizedError, match="the ingestion key is unknown"):
            keys.verify(other)


def test_a_key_is_rotated_without_a_restart(tmp_path: Path) -> None:
    """A new key is accepted at once, beside the old one of its name, and the old one no longer after it is removed."""
    old, new = new_key(), new_key()
    lines = [f"loader {digest(key)} events:write\n" for key in (old, new)]
    keys = IngestionKeys(write(tmp_path / "keys", lines[0]))

    def accepts(key: str) -> bool:
        try:
            return keys.verify(key).key == "loader"
        except UnauthorizedError:
            return False

    assert not accepts(new)
    write(tmp_path / "keys", "".join(lines))
    assert accepts(new)
    assert accepts(old)
    write(tmp_path / "keys", lines[1])
    wait_until("the old key to go", lambda: not accepts(old))
    assert accepts(new)


@pytest.mark.parametrize(
    "line",
    [
        "loader",
        "loader events:write",
        f"loader {'a' * 63} events:write",
        f"loader {'A' * 64} events:write",
        f"loader {'a' * 64} events:read",
        f"loader {'a' * 64} events:write players:any",
        f"a,b {'a' * 64} events:write",
    ],
)
def test_an_invalid_line_stops_the_start(tmp_path: Path, line: str) -> None:
    """A line that is wrong is an error with its number, and does not repeat a key that was written in by mistake."""
    with pytest.raises(SettingsError, match=r"API_KEYS: .*/keys: line 2: ") as caught:
        IngestionKeys(write(tmp_path / "keys", f"\n{line}\n"))
    assert "aaa" not in str(caught.value)


def test_the_command_makes_keys(tmp_path: Path) -> None:
    """The command prints the key beside the line for the file, and the line does not contain the key."""
    command = [sys.executable, "-m", "game_api.identity", "key", "loader", "events:write", "players:any"]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    key = made.stderr.strip()
    assert key not in made.stdout
    assert IngestionKeys(write(tmp_path / "keys", made.stdout)).verify(key).key == "loader"
