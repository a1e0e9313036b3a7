"""The passwords and the certificate of a new Trino."""

import hashlib
import http.client
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from game_trino.login import certificate, passwords
from game_trino.users import USERS
from testbed.settings import ROOT


def test_every_user_has_a_password_that_trino_knows() -> None:
    """The file has a line for each, whose digest is the password's as Trino computes it, and no password."""
    made = passwords(USERS)
    assert made.keys() == {*USERS, "password.db", "shared-secret"}
    lines = dict(line.split(":", 1) for line in made["password.db"].splitlines())
    assert tuple(lines) == USERS
    for user, line in lines.items():
        iterations, salt, digest = line.split(":")
        assert int(iterations) >= 1000
        expected = hashlib.pbkdf2_hmac("sha1", made[user].encode(), bytes.fromhex(salt), int(iterations))
        assert bytes.fromhex(digest) == expected
        assert made[user] not in made["password.db"]


def test_secrets_are_random() -> None:
    """Two logins have no secret in common, and every secret is long."""
    one, two = passwords(USERS), passwords(USERS)
    assert len({*one.values(), *two.values()}) == len(one) + len(two)
    assert min(map(len, one.values())) >= 32


def test_the_users_are_those_of_the_rules() -> None:
    """Each user but the people's, who have the rights of all, is named in the rules and in the resource groups."""
    etc = ROOT / "images/trino/etc"
    for file in ("login/rules.json", "resource-groups.json"):
        text = (etc / file).read_text()
        assert [user for user in USERS if user not in text] == ["analyst"], file


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in certificate(["localhost", "127.0.0.1"]).secret().items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_client_that_trusts_the_authority_connects(folder: Path, host: str) -> None:
    """By each name and address of the certificate, also where a client checks strictly."""
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        server.socket = serving.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        trusting = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        trusting.verify_flags |= ssl.VERIFY_X509_STRICT
        for context, outcome in ((trusting, 200), (ssl.create_default_context(), "certificate verify failed")):
            connection = http.client.HTTPSConnection(host, server.server_port, timeout=10, context=context)
            try:
                connection.request("GET", "/")
                seen: object = connection.getresponse().status
            except ssl.SSLCertVerificationError as error:
                seen = error.reason.lower().replace("_", " ")
            finally:
                connection.close()
            assert seen == outcome
        server.shutdown()
