"""Users of Trino, through a port-forward."""

from dataclasses import replace

import pytest
import trino
from game_trino.connection import connected
from lake.settings import EVENTS

from tests.e2e.installation import Installation

pytestmark = pytest.mark.timeout(3600)


def ask(installation: Installation, user: str, query: str, password: str | None = None) -> list[list[object]]:
    where = installation.settings.trino(user)
    with connected(where if password is None else replace(where, password=password), user) as connection:
        return [list(row) for row in connection.cursor().execute(query).fetchall()]


@pytest.mark.parametrize("user", ["dashboard", "world", "gamelake", "analyst"])
def test_every_user_reads_and_nobody_drops(installation: Installation, user: str) -> None:
    """With the passwords that the Job has made, and by the certificate's name for port-forwards."""
    assert ask(installation, user, f"SELECT count(*) FROM {EVENTS}")
    for statement in (f"DROP TABLE {EVENTS}", f"ALTER TABLE {EVENTS} EXECUTE rollback_to_snapshot(1)"):
        with pytest.raises(trino.exceptions.TrinoUserError, match="Access Denied"):
            ask(installation, user, statement)


def test_a_wrong_password_is_refused(installation: Installation) -> None:
    """A right to forward ports does not replace a password."""
    with pytest.raises(trino.exceptions.HttpError, match="error 401"):
        ask(installation, "analyst", "SELECT 1", password="wrong")  # noqa: S106
