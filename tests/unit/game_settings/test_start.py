"""The start of a process: variables that nothing reads are reported, and no others."""

import logging

import pytest
from game_api.settings import PREFIXES, Settings
from game_settings.logs import LogSettings
from game_settings.start import start, unknown


def test_an_unknown_variable_is_reported() -> None:
    """A misspelled variable is named with the closest one that is read."""
    assert unknown({"API_THREAD": "4", "API_THREADS": "4", "THREADS": "4"}, PREFIXES, Settings) == [
        "API_THREAD: unknown setting, ignored; did you mean API_THREADS?"
    ]
    assert unknown({"KAFKA_ZZZZZZZZZZZZZZZZZZZZ": ""}, PREFIXES, Settings) == [
        "KAFKA_ZZZZZZZZZZZZZZZZZZZZ: unknown setting, ignored"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "API_PORT",
        "API_ADMIN_PORT",
        "API_SERVICE_HOST",
        "API_SERVICE_PORT_HTTP",
        "KAFKA_BOOTSTRAP_PORT_9092_TCP_ADDR",
        "KAFKA_BOOTSTRAP_PORT_9092_TCP",
        "KAFKA_CONTROLLER_PORT",
        "KAFKA_DATA",
        "KAFKA_HEAP_OPTS",
        "KAFKA_HOME",
        "KAFKA_HOST",
        "KAFKA_OPTS",
        "WORLD_STORE_SERVICE_PORT",
        "LOGNAME",
        "STREAM_TRIGGER_SECONDS",
    ],
)
def test_variables_of_others_are_not_reported(name: str) -> None:
    """What Kubernetes, the local stack and Kafka's own scripts put into the environment is not the service's."""
    assert unknown({name: "1"}, PREFIXES, Settings) == []


def test_settings_are_read_before_the_log_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start returns the settings and logs one warning for each unknown variable."""
    warnings: list[logging.LogRecord] = []
    monkeypatch.setattr(logging.getLogger("game_settings.start"), "handle", warnings.append)
    monkeypatch.setattr("game_settings.start.set_up", lambda *_: None)
    monkeypatch.setenv("API_THREDS", "4")
    monkeypatch.setenv("API_THREADS", "5")
    monkeypatch.setenv("LOG_FORMAT", "json")
    settings = start(Settings, PREFIXES)
    assert (settings.threads, settings.log) == (5, LogSettings(format="json"))
    [warning] = [record for record in warnings if "API_" in record.getMessage()]
    assert (warning.levelname, warning.getMessage()) == (
        "WARNING",
        "API_THREDS: unknown setting, ignored; did you mean API_THREADS?",
    )
