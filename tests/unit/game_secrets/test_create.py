"""`python -m game_trino create`, against an API server like Kubernetes's, over TLS."""

import json
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from game_trino.__main__ import main
from game_trino.login import certificate
from game_trino.users import USERS

TOKEN = "the-account's"  # noqa: S105 of the test's own server


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
                if self.headers["Authorization"] != f"Bearer {TOKEN}":
                    status = 401
                elif self.path != "/api/v1/namespaces/game/secrets":
                    status = 404
                else:
                    status = 409 if name in secrets else 201
                    secrets.setdefault(name, body)
                self.send_response(status)
                self.end_headers()

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
    return main(["create", f"--api={api.url}", f"--account={account}", *options])


def test_the_secrets_are_created_once(api: KubernetesApi, account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run succeeds and changes nothing."""
    options = ("--login=trino-login", "--tls=trino-tls", "--name=trino", "--name=127.0.0.1")
    assert create(api, account, *options) == 0
    first = dict(api.secrets)
    assert create(api, account, *options) == 0
    assert api.secrets == first
    assert {name: one["type"] for name, one in first.items()} == {
        "trino-login": "Opaque",
        "trino-tls": "kubernetes.io/tls",
    }
    assert first["trino-login"]["data"].keys() == {*USERS, "password.db", "shared-secret"}
    assert first["trino-tls"]["data"].keys() == {"ca.crt", "tls.crt", "tls.key"}
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == "Secret trino-tls exists"
    assert b64decode(first["trino-login"]["data"]["analyst"]).decode() not in printed


def test_a_certificate_of_your_own_is_left_alone(api: KubernetesApi, account: Path) -> None:
    """Without the Secret's name no certificate is made."""
    assert create(api, account, "--login=trino-login") == 0
    assert api.secrets.keys() == {"trino-login"}


@pytest.mark.parametrize(("file", "problem"), [("token", "401"), ("namespace", "404"), ("ca.crt", "certificate")])
def test_a_refusal_is_an_error(
    api: KubernetesApi, account: Path, file: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """So is an API server that proves itself by another authority."""
    (account / file).write_text(certificate(["other"]).authority if file == "ca.crt" else "other")
    assert create(api, account, "--login=trino-login") == 1
    assert problem in capsys.readouterr().err
    assert api.secrets == {}


def test_a_line_for_a_person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The password comes from the standard input, and is not printed."""
    read = iter(["correct horse\n"])
    monkeypatch.setattr("sys.stdin", type("Pipe", (), {"isatty": lambda _: False, "readline": lambda _: next(read)})())
    assert main(["user", "alice"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("alice:")
    assert "correct horse" not in printed
