"""`python -m game_secrets`, against an API server like Kubernetes's, over TLS."""

import json
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from game_api.identity.player_tokens import PlayerTokens
from game_secrets.__main__ import main
from game_trino.login import certificate
from game_trino.users import USERS

TOKEN = "the-account's"  # noqa: S105 of the test's own server
QUOTA = "over-the-quota"
"""A name for which another creation changes the quota at the same time."""


class KubernetesApi:
    """Creates Secrets, in one namespace, for the holder of the token; a name is created once."""

    def __init__(self, folder: Path) -> None:
        self.secrets: dict[str, dict[str, Any]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self._server.socket = serving.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        secrets = self.secrets

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                name = body["metadata"]["name"]
                status, answer = 201, {"message": f'secrets "{name}" already exists', "reason": "AlreadyExists"}
                if self.headers["Authorization"] != f"Bearer {TOKEN}":
                    status, answer = 401, {"reason": "Unauthorized"}
                elif self.path != "/api/v1/namespaces/game/secrets":
                    status, answer = 404, {"reason": "NotFound"}
                elif name == QUOTA:
                    status, answer = 409, {"message": "the object has been modified", "reason": "Conflict"}
                elif name in secrets:
                    status = 409
                    if "deletionTimestamp" in secrets[name]["metadata"]:
                        answer["message"] = f"object is being deleted: {answer['message']}"
                else:
                    secrets[name] = body
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """The folder that the kubelet mounts, and the server's certificate."""
    for name, text in certificate(["127.0.0.1"]).secret().items():
        (tmp_path / name).write_text(text)
    (tmp_path / "namespace").write_text("game")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    return tmp_path


@pytest.fixture
def api(account: Path) -> Iterator[KubernetesApi]:
    one = KubernetesApi(account)
    yield one
    one.close()


def create(api: KubernetesApi, account: Path, *options: str) -> int:
    return main([f"--api={api.url}", f"--account={account}", *options])


EVERY = (
    "--database=hive-metastore-postgresql",
    "--store=world-store",
    "--store-address=world-store:6379",
    "--players=api-players",
    "--trino-login=trino-login",
    "--trino-tls=trino-tls",
    "--trino-name=trino",
    "--trino-name=127.0.0.1",
)


def content(api: KubernetesApi, name: str) -> dict[str, str]:
    return {key: b64decode(value).decode() for key, value in api.secrets[name]["data"].items()}


def test_the_secrets_are_created_once(api: KubernetesApi, account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run succeeds and changes nothing; no password is printed."""
    assert create(api, account, *EVERY) == 0
    first = dict(api.secrets)
    assert create(api, account, *EVERY) == 0
    assert api.secrets == first
    assert {name: (one["type"], {*one["data"]}) for name, one in first.items()} == {
        "hive-metastore-postgresql": ("Opaque", {"username", "password"}),
        "world-store": ("Opaque", {"password", "url"}),
        "api-players": ("Opaque", {"secrets"}),
        "trino-login": ("Opaque", {*USERS, "password.db", "shared-secret"}),
        "trino-tls": ("kubernetes.io/tls", {"ca.crt", "tls.crt", "tls.key"}),
    }
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == "Secret trino-tls exists"
    passwords = {content(api, name)["password"] for name in ("hive-metastore-postgresql", "world-store")}
    assert len(passwords) == 2
    assert not [one for one in (*passwords, content(api, "trino-login")["analyst"]) if one in printed]


def test_one_that_exists_is_left_as_it_is(api: KubernetesApi, account: Path) -> None:
    """Such as that of an older release; the others are made."""
    older = {"metadata": {"name": "world-store"}, "data": {"password": "b2xk"}}
    api.secrets["world-store"] = older
    assert create(api, account, *EVERY) == 0
    assert api.secrets["world-store"] == older
    assert len(api.secrets) == 5


@pytest.mark.parametrize("name", ["trino-login", QUOTA])
def test_another_conflict_is_an_error(
    api: KubernetesApi, account: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Secret that is being deleted will be missing, and one that is refused is: the Job tries again."""
    api.secrets["trino-login"] = {"metadata": {"name": "trino-login", "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert create(api, account, f"--trino-login={name}") == 1
    assert "409" in capsys.readouterr().err


def test_the_stores_url_has_its_password(api: KubernetesApi, account: Path) -> None:
    """A client reads both from the Secret: the password needs no quotes in a URL."""
    assert create(api, account, "--store=world-store", "--store-address=world-store:6379") == 0
    made = content(api, "world-store")
    assert len(made["password"]) >= 32
    assert urlsplit(made["url"]).password == made["password"] == unquote(made["password"])
    assert made["url"] == f"redis://:{made['password']}@world-store:6379"


def test_the_api_signs_with_what_is_made(api: KubernetesApi, account: Path, tmp_path: Path) -> None:
    """The secret is long enough for it."""
    assert create(api, account, "--players=api-players") == 0
    file = tmp_path / "secrets"
    file.write_text(content(api, "api-players")["secrets"])
    tokens = PlayerTokens(str(file), 1)
    assert tokens.verify(tokens.issue("wat tyler", 0)).player == "wat tyler"


def test_no_other_secret_is_made(api: KubernetesApi, account: Path) -> None:
    """Those without an option are somebody else's."""
    assert create(api, account, "--trino-login=trino-login") == 0
    assert api.secrets.keys() == {"trino-login"}


def test_a_store_has_an_address(api: KubernetesApi, account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise its clients would have none."""
    with pytest.raises(SystemExit):
        create(api, account, "--store=world-store")
    assert "--store needs --store-address" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "problem"), [("token", "Unauthorized"), ("namespace", "NotFound"), ("ca.crt", "certificate")]
)
def test_a_refusal_is_an_error(
    api: KubernetesApi, account: Path, file: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what the API server says; so is one that proves itself by another authority."""
    (account / file).write_text(certificate(["other"]).authority if file == "ca.crt" else "other")
    assert create(api, account, "--trino-login=trino-login") == 1
    assert problem in capsys.readouterr().err
    assert api.secrets == {}
