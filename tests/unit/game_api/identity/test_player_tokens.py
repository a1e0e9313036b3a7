"""The service's own tokens: signatures, expiry, and rotation of secrets."""

import time
from pathlib import Path

import pytest
from game_api.identity.errors import UnauthorizedError
from game_api.identity.player_tokens import PlayerTokens, new_secret
from game_settings.reader import SettingsError
from testbed.waiting import wait_until

from tests.unit.game_api.identity.provider import settled, write

CLAIMED_AT = 1_700_000_000_000


def tokens_of(folder: Path, *secrets: str, days: int = 10, clock: object = time.time) -> PlayerTokens:
    path = write(folder / "secrets", "\n".join(["# secrets", *secrets]))
    return PlayerTokens(path, days, clock)  # type: ignore[arg-type]


def problem(tokens: PlayerTokens, token: str) -> str:
    with pytest.raises(UnauthorizedError) as caught:
        tokens.verify(token)
    return caught.value.problem


def test_a_token_states_a_claim(tmp_path: Path) -> None:
    """A token says whose it is, when the name was claimed, and when it expires."""
    tokens = tokens_of(tmp_path, new_secret(), clock=lambda: 1000.0)
    claim = tokens.verify(tokens.issue("jeanne née ä", CLAIMED_AT))
    assert claim[:3] == ("jeanne née ä", CLAIMED_AT, 1000 + 10 * 86400)


def test_a_changed_token_is_refused(tmp_path: Path) -> None:
    """Another name, another signature and another secret are noticed."""
    tokens = tokens_of(tmp_path, new_secret())
    ada, bob = tokens.issue("ada", CLAIMED_AT), tokens.issue("bob", CLAIMED_AT)
    mixed = f"{bob.rpartition('.')[0]}.{ada.rpartition('.')[2]}"
    assert problem(tokens, mixed) == "the token's signature is wrong"
    assert problem(tokens, ada.rpartition(".")[0] + ".") == "the token's signature is wrong"
    (tmp_path / "other").mkdir()
    other = tokens_of(tmp_path / "other", new_secret())
    assert problem(tokens, other.issue("ada", CLAIMED_AT)) == (
        "the token was signed with a secret that is no longer accepted"
    )


@pytest.mark.parametrize(
    "token", ["", "gp1.", "gp1.x", "gp1.a.b", "gp1.bnVsbA.x", "gp1.W10.x", "gp1.é.x", "gp1.W3t9LDEsMiwzXQ.x"]
)
def test_a_malformed_token_is_refused(tmp_path: Path, token: str) -> None:
    """Text that is no token is a refusal, not an error."""
    with pytest.raises(UnauthorizedError):
        tokens_of(tmp_path, new_secret()).verify(token)


def test_a_token_expires(tmp_path: Path) -> None:
    """After its days a token is refused; after half of them its client is due for another one."""
    now = [0.0]
    tokens = tokens_of(tmp_path, new_secret(), clock=lambda: now[0])
    token = tokens.issue("ada", CLAIMED_AT)
    now[0] = 4.9 * 86400
    assert not tokens.is_due(tokens.verify(token))
    now[0] = 5.1 * 86400
    assert tokens.is_due(tokens.verify(token))
    now[0] = 10 * 86400
    assert problem(tokens, token) == "the token has expired"


def test_secrets_are_rotated_without_a_restart(tmp_path: Path) -> None:
    """A new first secret signs once it has settled, and the old one is accepted as long as the file has it."""
    old, new = new_secret(), new_secret()
    tokens = tokens_of(tmp_path, old)
    before = tokens.issue("ada", CLAIMED_AT)
    path = write(tmp_path / "secrets", f"{new}\n{old}\n")
    settled(path)
    wait_until("the new secret", lambda: tokens.issue("ada", CLAIMED_AT)[:16] != before[:16])
    after = tokens.issue("ada", CLAIMED_AT)
    assert tokens.verify(before).player == tokens.verify(after).player == "ada"
    assert tokens.is_due(tokens.verify(before))
    assert not tokens.is_due(tokens.verify(after))
    write(tmp_path / "secrets", new)
    wait_until("the old secret to go", lambda: tokens.version == 2 or not tokens.verify(after))
    assert tokens.verify(after).player == "ada"
    assert problem(tokens, before) == "the token was signed with a secret that is no longer accepted"


def test_a_new_secret_is_accepted_before_it_signs(tmp_path: Path) -> None:
    """A process accepts what another has signed with a secret that it has not read yet, and signs with the old one."""
    old, new = new_secret(), new_secret()
    tokens = tokens_of(tmp_path, old)
    path = write(tmp_path / "secrets", f"{new}\n{old}\n")
    another = PlayerTokens(path, 10)
    assert (
        tokens.verify(another.issue("ada", CLAIMED_AT)).secret_id
        == tokens.verify(tokens.issue("ada", CLAIMED_AT)).secret_id
    )
    settled(path)
    after = tokens_of(tmp_path, new).issue("ada", CLAIMED_AT)
    assert tokens.verify(after).player == "ada"


@pytest.mark.parametrize("text", ["", "# nothing\n", "short", "a" * 31])
def test_weak_secrets_stop_the_start(tmp_path: Path, text: str) -> None:
    """A file without a long secret is an error that names the setting, and does not repeat the secret."""
    with pytest.raises(SettingsError, match="API_TOKEN_SECRETS: ") as caught:
        tokens_of(tmp_path, text)
    assert text in ("", "# nothing\n") or text not in str(caught.value)
