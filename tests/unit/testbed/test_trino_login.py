"""How Trino starts where its users log in, and where they do not."""

import json
import re
import ssl
import subprocess
from pathlib import Path

import pytest
from testbed.settings import ROOT, Settings
from testbed.stack import trino_login
from testbed.stack.programs import programs

ETC = ROOT / "images/trino/etc"


def started(folder: Path, **given: str) -> tuple[dict[str, str], dict[str, str], str]:
    """Start Trino with a launcher that prints; return its environment, its properties, and the file with those."""
    for name, printed in (("java/bin/java", ""), ("trino/bin/launcher", 'env; echo "ARGUMENTS=$*"\n')):
        program = folder / name
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{printed}")
        program.chmod(0o755)
    where = {"TRINO_HOST": "127.0.0.1", "TRINO_PORT": "8080", "METASTORE_URI": "thrift://127.0.0.1:9083"}
    where |= {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092", "KAFKA_TOPIC": "events", "HADOOP_CONF_DIR": "/conf"}
    where |= {"JAVA_HOME": f"{folder}/java", "TRINO_HOME": f"{folder}/trino", "TRINO_DATA": f"{folder}/data"}
    environment = {**where, **given, "PATH": "/usr/bin:/bin"}
    output = subprocess.run([ROOT / "images/trino/run"], env=environment, check=True, capture_output=True, text=True)
    seen = dict(line.split("=", 1) for line in output.stdout.splitlines() if re.match(r"\w+=", line))
    chosen = re.search(r"-config (\S+)", seen["ARGUMENTS"])
    assert chosen
    text = Path(chosen[1]).read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    read = dict(line.split("=", 1) for line in lines)
    assert len(read) == len(lines), "a property is set twice"
    return seen, read, chosen[1]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "data", tmp_path, trino_login=1)


def test_on_one_machine_nobody_logs_in(tmp_path: Path) -> None:
    """By default names are believed and nothing is read-only: everybody on loopback owns the stack."""
    seen, read, file = started(tmp_path, **trino_login.of_server(Settings(tmp_path, tmp_path)))
    assert file == str(ETC / "config.properties")
    assert not any("authentication" in name or "access-control" in name for name in read)
    assert (seen["TRINO_LAKE_SECURITY"], seen["TRINO_WEB_UI"]) == ("ALLOW_ALL", "false")


def test_with_a_login_everything_is_checked(tmp_path: Path, settings: Settings) -> None:
    """Passwords over HTTPS only, nodes with their secret, rules of access, and a lake that nobody writes."""
    seen, read, _ = started(tmp_path, **trino_login.of_server(settings))
    assert read["http-server.authentication.type"] == "${ENV:TRINO_AUTHENTICATION}"
    assert read["http-server.authentication.allow-insecure-over-http"] == "false"
    assert read["internal-communication.shared-secret"] == "${ENV:TRINO_SHARED_SECRET}"
    assert (seen["TRINO_LAKE_SECURITY"], seen["TRINO_AUTHENTICATION"]) == ("READ_ONLY", "PASSWORD")
    assert "event-listener.config-files" not in read
    keystore = Path(seen["TRINO_KEYSTORE"])
    assert keystore.stat().st_mode & 0o077 == 0
    # One file has both.
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(keystore)


def test_every_file_that_the_login_names_exists(tmp_path: Path, settings: Settings) -> None:
    """With all variables of the environment that they refer to."""
    seen, read, _ = started(tmp_path, **trino_login.of_server(settings), TRINO_AUDIT_TOPIC="queries")
    files = [value for name, value in read.items() if name.endswith("config-files")]
    assert len(files) == 3
    for file in files:
        path = Path(file.replace("${ENV:TRINO_ETC}", seen["TRINO_ETC"]))
        referred = set(re.findall(r"\$\{ENV:(\w+)\}", path.read_text()))
        assert referred <= seen.keys(), path
    assert set(re.findall(r"\$\{ENV:(\w+)\}", "".join(read.values()))) <= seen.keys()
    assert Path(seen["TRINO_RULES"]).exists()
    assert (Path(seen["TRINO_LOGIN"]) / "password.db").exists()


def test_the_plugins_of_the_login_are_kept() -> None:
    """What the files of properties name is not pruned."""
    fetch = (ROOT / "images/trino/fetch").read_text()
    for plugin in ("password-authenticators", "resource-group-managers", "kafka-event-listener"):
        assert f"! -name {plugin} " in fetch


def rule(section: str, user: str, **place: str) -> dict[str, object]:
    """The first rule of a section that matches, as Trino applies them."""
    rules = json.loads((ETC / "login/rules.json").read_text())[section]
    for one in rules:
        given = {"user": user, **place}
        if all(re.fullmatch(one.get(name, ".*"), text) for name, text in given.items()):
            return dict(one)
    return {}


@pytest.mark.parametrize("user", ["dashboard", "world", "gamelake", "analyst", "alice"])
def test_nobody_changes_the_lake(user: str) -> None:
    """Not by its own catalog, and not through the names that `hive` has for its tables."""
    assert rule("catalogs", user, catalog="lake")["allow"] == "read-only"
    for table in ("events", "rollups"):
        for catalog in ("lake", "hive"):
            privileges = rule("tables", user, catalog=catalog, schema="default", table=table)["privileges"]
            assert privileges == ["SELECT"]


def test_only_the_jobs_make_views() -> None:
    """Views of the lake and the tail; all others select from them."""
    for place in ({"schema": "default", "table": "purchases"}, {"schema": "live", "table": "tail"}):
        owns = rule("tables", "gamelake", catalog="hive", **place)
        assert owns["privileges"] == ["SELECT", "OWNERSHIP"]
        for user in ("dashboard", "world", "analyst", "alice"):
            assert rule("tables", user, catalog="hive", **place)["privileges"] == ["SELECT"]
            assert rule("catalogs", user, catalog="hive")["allow"] == "read-only"


@pytest.mark.parametrize("user", ["dashboard", "world"])
def test_services_see_the_tables_only(user: str) -> None:
    """Neither the topic nor other people's queries."""
    for catalog in ("kafka", "system", "samples"):
        assert rule("catalogs", user, catalog=catalog)["allow"] == "none"


def test_each_program_has_its_own_users_password(settings: Settings) -> None:
    """The API is `dashboard`, the world `world`, and the jobs `gamelake`; all trust the same authority."""
    every = {program.name: program.environment for program in programs(settings)}
    for program, user in (("api", "dashboard"), ("world", "world"), ("tables", "gamelake")):
        given = every[program]
        assert given["TRINO_URL"] == f"https://127.0.0.1:{settings.ports.trino_https}"
        assert given["TRINO_PASSWORD"] == (settings.trino_secrets / user).read_text() == settings.trino(user).password
        assert Path(given["TRINO_CA_LOCATION"]).exists()


def test_passwords_outlive_a_restart(settings: Settings) -> None:
    """They are made once."""
    assert trino_login.of_client(settings, "analyst") == trino_login.of_client(settings, "analyst")
    assert settings.trino_secrets.stat().st_mode & 0o077 == 0
