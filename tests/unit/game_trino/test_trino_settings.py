"""How clients of Trino connect."""

import pytest
from game_settings.reader import SettingsError
from game_trino.connection import connected
from game_trino.settings import TrinoSettings
from trino.auth import BasicAuthentication

HTTPS = "https://trino:8443"


def test_a_client_with_a_password_logs_in() -> None:
    """It proves its name."""
    given = {"TRINO_URL": HTTPS, "TRINO_PASSWORD": "swordfish", "TRINO_CA_LOCATION": "/trino/ca.crt"}
    connection = connected(TrinoSettings.from_environment(given), "dashboard", catalog="hive")
    assert connection.auth == BasicAuthentication("dashboard", "swordfish")
    assert (connection.host, connection.port, connection.http_scheme) == ("trino", 8443, "https")
    assert connection._client_session.user == "dashboard"
    assert connection._client_session.timezone == "UTC"


def test_no_other_authority_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own authority comes before that of the environment, which counts without one."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/bundle.crt")
    for own, trusted in (("/trino/ca.crt", "/trino/ca.crt"), ("", "/etc/bundle.crt")):
        session = connected(TrinoSettings(HTTPS, "swordfish", own), "dashboard")._http_session
        assert session.merge_environment_settings(HTTPS, {}, None, None, None)["verify"] == trusted


def test_a_client_without_a_password_names_itself() -> None:
    """A Trino on one machine has no login."""
    connection = connected(TrinoSettings("http://127.0.0.1:8080"), "dashboard")
    assert connection.auth is None
    assert connection._client_session.user == "dashboard"
    assert connection._http_session.verify is True


def test_a_password_is_not_sent_in_plain_text() -> None:
    """A password needs https; the error does not contain it."""
    with pytest.raises(SettingsError, match="TRINO_URL: expected https://… with TRINO_PASSWORD") as caught:
        TrinoSettings.from_environment({"TRINO_URL": "http://trino:8080", "TRINO_PASSWORD": "swordfish"})
    assert "swordfish" not in f"{caught.value}{TrinoSettings(HTTPS, 'swordfish')!r}"


def test_an_address_has_a_scheme() -> None:
    """Without one, host and port could not be distinguished."""
    with pytest.raises(SettingsError, match="TRINO_URL: expected http://… or https://…, got 'trino:8080'"):
        TrinoSettings.from_environment({"TRINO_URL": "trino:8080"})
