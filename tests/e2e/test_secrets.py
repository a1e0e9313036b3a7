"""The Secrets that the release's Job has made: kept by upgrades and rollbacks, and changed by their names."""

from base64 import b64decode

import pytest
import trino
from testbed.cluster.deployment import CHART, VALUES, await_ready
from testbed.cluster.progress import Progress
from testbed.waiting import wait_until

from tests.e2e.installation import PATIENCE, Installation
from tests.e2e.test_trino_login import ask
from tests.e2e.traffic import traffic

pytestmark = pytest.mark.timeout(3600)

MADE = ("hive-metastore-postgresql", "world-store", "trino-login", "trino-tls")


def content(installation: Installation, name: str) -> dict[str, str]:
    secret = installation.cluster.api.get("Secret", name)
    assert secret, f"there is no Secret {name}"
    return {key: b64decode(value).decode() for key, value in secret["data"].items()}


def contents(installation: Installation) -> dict[str, dict[str, str]]:
    return {name: content(installation, name) for name in MADE}


def test_upgrades_and_rollbacks_keep_the_secrets(installation: Installation, release: str) -> None:
    """The Job runs with every upgrade and changes nothing, and no manifest has a Secret for a rollback to restore."""
    cluster = installation.cluster
    before, revision = contents(installation), installation.revision()
    cluster.helm("upgrade", release, CHART, *VALUES, "--set", "api.log.level=DEBUG")
    assert contents(installation) == before
    cluster.helm("rollback", release, revision)
    await_ready(cluster, Progress())
    assert contents(installation) == before
    assert "kind: Secret\n" not in cluster.helm("get", "manifest", release)


def test_passwords_of_store_and_database_are_changed(installation: Installation, release: str) -> None:
    """By other names, under load: readers restart with the new ones, the old ones are refused, nothing is lost."""
    names = {"api.store.secretName": "world-store-2", "hive-metastore.database.secretName": "metastore-2"}
    changes = [part for name, value in names.items() for part in ("--set", f"{name}={value}")]
    with traffic(installation):
        installation.cluster.helm("upgrade", release, CHART, *VALUES, *changes)
        await_ready(installation.cluster, Progress())
        installation.await_fresh_row()
    assert installation.differences() == {}
    for secret, accepted in {"world-store-2": True, "world-store": False}.items():
        password = content(installation, secret)["password"]
        ping = ("env", f"REDISCLI_AUTH={password}", "valkey-cli", "ping")
        assert ("PONG" in installation.cluster.execute(installation.pod("store").name, *ping)) is accepted, secret
    for secret, answer in {"metastore-2": "accepted", "hive-metastore-postgresql": "refused"}.items():
        password = content(installation, secret)["password"]
        login = f"PGPASSWORD='{password}' psql --host=127.0.0.1 --username=metastore --command='SELECT 1' metastore"
        script = f"{login} >/dev/null 2>&1 && echo accepted || echo refused"
        printed = installation.cluster.execute(installation.pod("postgresql").name, "sh", "-c", script)
        assert printed.strip() == answer, secret


def test_trinos_passwords_are_changed(installation: Installation, release: str) -> None:
    """By another name: the new password logs in, the old one no longer, and the dashboard has its new one."""
    old = content(installation, "trino-login")["analyst"]
    installation.cluster.helm("upgrade", release, CHART, *VALUES, "--set", "global.trino.loginSecret=trino-login-2")
    await_ready(installation.cluster, Progress())
    new = content(installation, "trino-login-2")["analyst"]
    assert new != old

    def answers() -> bool:
        try:
            return ask(installation, "analyst", "SELECT 1", password=new) == [[1]]
        except (trino.exceptions.Error, OSError):
            return False

    wait_until("Trino by its new password", answers, PATIENCE, pause=2)
    with pytest.raises(trino.exceptions.HttpError, match="error 401"):
        ask(installation, "analyst", "SELECT 1", password=old)
