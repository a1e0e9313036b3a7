"""The warning at start about a public address without proof of names."""

import pytest
from game_api.identity.exposure import warnings
from game_api.identity.settings import IdentitySettings


@pytest.mark.parametrize(
    "bind", ["0.0.0.0:5000", ":5000", "[::]:5000", "192.0.2.7:80", "game.example:80", "127.0.0.1:1,0.0.0.0:2"]
)
def test_a_public_address_is_warned_about(bind: str) -> None:
    """In mode open an address that others can reach is named loudly; in other modes not."""
    first, *_ = warnings(IdentitySettings(), bind)
    assert first.startswith(f"API_PLAYERS=open on {bind.rpartition(',')[2]}: EVERY CLIENT")
    assert warnings(IdentitySettings(mode="token", token_secrets="file"), bind) == []  # noqa: S106


@pytest.mark.parametrize(
    "bind", ["127.0.0.1:5000", "127.0.0.1", "localhost:5000", "[::1]:5000", "unix:/run/api", "fd://3"]
)
def test_this_machine_is_not_warned_about(bind: str) -> None:
    """On loopback the mode open is the usual one."""
    assert warnings(IdentitySettings(), bind) == []
