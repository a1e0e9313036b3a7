"""A stack whose users of Trino log in, with the rules that they have on a cluster."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
import trino
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from game_kafka.reader import TopicReader
from game_trino.connection import connected
from game_trino.settings import TrinoSettings
from testbed.settings import HOST, Settings
from testbed.stack.programs import spark_job, trino_cli
from testbed.stack.stack import Stack
from testbed.waiting import wait_until
from trino.auth import BasicAuthentication

pytestmark = pytest.mark.lake

AUDIT = "queries"
REFUSED = "Access Denied"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The servers with login and audit, the tables, and a few rows."""
    settings = replace(Settings.isolated(tmp_path_factory.mktemp("login")), trino_login=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRINO_AUDIT_TOPIC", AUDIT)
        one = Stack(settings)
        try:
            one.up(["kafka"])
            admin = AdminClient({**settings.kafka.client()})
            admin.create_topics([NewTopic(AUDIT, 1, 1)])[AUDIT].result(30)
            one.up([name for name in one.names if name not in ("stream", "maintenance")])
            headers = {"X-Player": "ada"}
            requests.post(f"{settings.api_url}/purchase_a_sword", headers=headers, timeout=60).raise_for_status()
            one.run(spark_job(settings, "batch", "batch.py", "load"))
            yield one
        finally:
            one.down()


def ask(stack: Stack, user: str, query: str) -> list[list[Any]]:
    with connected(stack.settings.trino(user), user, catalog="hive", schema="default") as connection:
        return [list(row) for row in connection.cursor().execute(query).fetchall()]


@pytest.mark.parametrize("user", ["dashboard", "world", "gamelake", "analyst"])
def test_every_user_reads(stack: Stack, user: str) -> None:
    """A view and its table, by the names of both catalogs."""
    assert ask(stack, user, "SELECT player FROM purchases") == [["ada"]]
    assert ask(stack, user, "SELECT count(*) FROM lake.default.events") == [[1]]
    assert ask(stack, user, 'SELECT count(*) FROM lake.default."events$snapshots"') != [[0]]


def test_people_read_the_topic(stack: Stack) -> None:
    """Through live views too, which only lack the stream here; services have no use for it and no right."""
    assert ask(stack, "analyst", "SELECT count(*) FROM kafka.default.events") == [[1]]
    with pytest.raises(trino.exceptions.TrinoUserError, match="the stream has not run yet"):
        ask(stack, "analyst", "SELECT player FROM purchases_live")
    with pytest.raises(trino.exceptions.TrinoUserError, match=REFUSED):
        ask(stack, "dashboard", "SELECT count(*) FROM kafka.default.events")


@pytest.mark.parametrize("user", ["dashboard", "world", "gamelake", "analyst"])
@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE lake.default.events",
        "DROP TABLE hive.default.events",
        "DELETE FROM lake.default.events",
        "INSERT INTO lake.default.events (kafka_offset) VALUES (7)",
        "ALTER TABLE lake.default.events DROP COLUMN player",
        "ALTER TABLE lake.default.events EXECUTE expire_snapshots(retention_threshold => '0s')",
        "ALTER TABLE lake.default.events EXECUTE rollback_to_snapshot(1)",
        "ALTER TABLE hive.default.events EXECUTE remove_orphan_files(retention_threshold => '0s')",
        "CALL lake.system.unregister_table('default', 'events')",
        "CREATE TABLE lake.default.mine (number integer)",
        "DROP SCHEMA lake.default CASCADE",
        "SET SESSION query_max_execution_time = '30d'",
    ],
)
def test_nobody_changes_the_lake(stack: Stack, user: str, statement: str) -> None:
    """Neither the table nor its history, nor the limits of queries."""
    with pytest.raises(trino.exceptions.TrinoUserError, match=REFUSED):
        ask(stack, user, statement)
    assert ask(stack, "analyst", "SELECT count(*) FROM lake.default.events") == [[1]]


@pytest.mark.parametrize("user", ["dashboard", "world", "analyst"])
def test_only_the_jobs_make_views(stack: Stack, user: str) -> None:
    """Others may neither create nor replace nor drop one."""
    for statement in ("CREATE OR REPLACE VIEW purchases AS SELECT 1 AS player", "DROP VIEW purchases"):
        with pytest.raises(trino.exceptions.TrinoUserError, match=REFUSED):
            ask(stack, user, statement)


def test_the_job_replaces_views(stack: Stack) -> None:
    """`tables` logs in as gamelake, and repairs what that user broke."""
    ask(stack, "gamelake", "CREATE OR REPLACE VIEW joins SECURITY INVOKER AS SELECT 1 AS player")
    stack.run(spark_job(stack.settings, "tables", "tables.py"))
    assert ask(stack, "analyst", "SELECT count(*) FROM joins") == [[0]]


def test_people_see_their_own_queries(stack: Stack) -> None:
    """The operators' user sees all."""
    ask(stack, "dashboard", "SELECT 'of the dashboard'")
    query = "SELECT count(*) FROM system.runtime.queries WHERE query = 'SELECT ''of the dashboard'''"
    assert ask(stack, "gamelake", query) == [[1]]
    assert ask(stack, "analyst", query) == [[0]]


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_wrong_password_is_refused(stack: Stack, password: str) -> None:
    """So is none."""
    where = replace(stack.settings.trino("analyst"), password=password)
    with pytest.raises(trino.exceptions.HttpError, match="error 401"), connected(where, "analyst") as connection:
        connection.cursor().execute("SELECT 1")


def test_a_user_cannot_be_another(stack: Stack) -> None:
    """The password's owner decides, not the name that a request states."""
    where = stack.settings.trino("analyst")
    with connected(where, "gamelake") as connection:
        connection.auth = BasicAuthentication("analyst", where.password)
        with pytest.raises(trino.exceptions.TrinoUserError, match="analyst cannot impersonate user gamelake"):
            connection.cursor().execute("SELECT 1").fetchall()


def test_names_are_not_believed_over_http(stack: Stack) -> None:
    """Only nodes use this port; whether Trino runs is no secret."""
    url = f"http://{HOST}:{stack.settings.ports.trino}"
    assert requests.get(f"{url}/v1/info", timeout=20).status_code == 200
    headers = {"X-Trino-User": "gamelake"}
    assert requests.post(f"{url}/v1/statement", b"SELECT 1", headers=headers, timeout=20).status_code == 403
    headers |= {"X-Forwarded-Proto": "https"}
    assert requests.post(f"{url}/v1/statement", b"SELECT 1", headers=headers, timeout=20).status_code == 401


def test_an_unknown_authority_is_not_trusted(stack: Stack) -> None:
    """A client that trusts the system's authorities sends no password."""
    where = TrinoSettings(stack.settings.trino_url, "any")
    with pytest.raises((trino.exceptions.Error, OSError), match="certificate"), connected(where, "analyst") as one:
        one.cursor().execute("SELECT 1")


def test_the_dashboard_logs_in(stack: Stack) -> None:
    """Its queries have results."""

    def freshness() -> Any:  # noqa: ANN401 JSON
        data = requests.get(f"{stack.settings.admin_url}/dashboard/data", timeout=60).json()
        assert data["away"] is None
        return data["queries"]["freshness"]["rows"]

    wait_until("the dashboard", freshness, 120, pause=1)


def test_the_prompt_logs_in(stack: Stack) -> None:
    """As analyst, with the password in its environment."""
    _, prompt, environment = trino_cli(stack.settings)
    done = subprocess.run(
        [*prompt, "--execute", "SELECT current_user"], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == '"analyst"\n'


def test_queries_are_recorded(stack: Stack) -> None:
    """Who asked what is a record of the audit's topic."""
    ask(stack, "analyst", "SELECT 'on the record'")
    kafka = replace(stack.settings.kafka, topic=AUDIT)

    def found() -> list[str]:
        with TopicReader(kafka, "audit", patience=10) as reader:
            records = [message.value() or b"" for messages in reader.read(0, reader.window(0)) for message in messages]
        return [str(json.loads(value)) for value in records if b"'on the record'" in value]

    [record] = wait_until("the record", found, 60, pause=1)
    assert "'user': 'analyst'" in record
