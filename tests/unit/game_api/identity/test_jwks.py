"""Key sets of an identity provider: which keys are used, and how those of a URL are rotated."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from game_api.identity.errors import KeysUnavailableError
from game_api.identity.jwks import KeySetFile, KeySetUrl, parsed
from game_settings.reader import SettingsError
from jwt.algorithms import OKPAlgorithm
from testbed.waiting import wait_until

from tests.unit.game_api.identity.provider import Key, key_set, write

ED, EC, RSA = Key("ed"), Key("ec", "ES256"), Key("rsa", "RS256")


class Provider:
    """Serves a key set, or fails."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.requests = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.requests += 1
                text = provider.text
                self.send_response(500 if text is None else 200)
                self.end_headers()
                self.wfile.write((text or "").encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()
        self._readers: list[KeySetUrl] = []

    def keys(self, refresh_seconds: float, pause: float, login: str = "") -> KeySetUrl:
        """Return a reader of this provider's keys."""
        url = f"http://{login}127.0.0.1:{self.server.server_port}/jwks"
        self._readers.append(KeySetUrl(url, refresh_seconds, pause))
        return self._readers[-1]

    def close(self) -> None:
        for reader in self._readers:
            reader.close()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


def known(keys: KeySetUrl) -> set[str]:
    try:
        return set(keys.keys())
    except KeysUnavailableError:
        return set()


def test_keys_that_cannot_verify_are_left_out() -> None:
    """Secrets, private keys, keys for encryption, short keys and unknown kinds are left out; other keys are used."""
    useless = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "disguised", "alg": "EdDSA"},
        {**OKPAlgorithm.to_jwk(ED.private, as_dict=True), "kid": "private"},
        RSA.entry | {"kid": "encryption", "use": "enc"},
        RSA.entry | {"kid": "padded", "alg": "PS256"},
        Key("short", "RS256", 1024).entry,
        {"kty": "quantum", "kid": "quantum"},
        {},
        None,
    ]
    text = json.dumps({"keys": [*useless, ED.entry, EC.entry, RSA.entry]})
    assert set(parsed(text)) == {"ed", "ec", "rsa"}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"keys": 1}', '{"keys": []}', '{"keys": [{"kty": "oct", "k": "aa"}]}']
)
def test_a_file_without_keys_stops_the_start(tmp_path: Path, text: str) -> None:
    """A key set from which no token could be verified is an error that names the setting."""
    with pytest.raises(SettingsError, match=r"API_JWKS: .*jwks.json: expected a"):
        KeySetFile(write(tmp_path / "jwks.json", text))


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    """A file that cannot be read is an error that names setting and file."""
    with pytest.raises(SettingsError, match=r"API_JWKS: expected a readable file, got .*/none"):
        KeySetFile(str(tmp_path / "none"))


def test_an_invalid_new_content_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While a file is invalid or missing, the keys that were read before hold, and the log says so."""
    keys = KeySetFile(write(tmp_path / "jwks.json", key_set(ED)))
    write(tmp_path / "jwks.json", "{}")
    assert set(keys.look_again()) == {"ed"}
    (tmp_path / "jwks.json").unlink()
    assert set(keys.look_again()) == {"ed"}
    assert "what was read before holds" in caplog.text


def test_no_request_waits_for_the_provider(provider: Provider) -> None:
    """Until the keys have been read a request gets an error that says so; then they are known."""
    keys = provider.keys(300, 0.05)
    with pytest.raises(KeysUnavailableError):
        keys.keys()
    provider.text = key_set(ED)
    wait_until("the keys", lambda: known(keys) == {"ed"})


def test_an_unknown_key_is_asked_for(provider: Provider) -> None:
    """A token of a new key makes the service read the URL at once, however long the refresh takes."""
    provider.text = key_set(ED)
    keys = provider.keys(300, 0.2)
    wait_until("the keys", lambda: known(keys) == {"ed"})
    provider.text = key_set(EC)
    version = keys.version

    def is_rotated() -> bool:
        try:
            return set(keys.look_again()) == {"ec"}
        except KeysUnavailableError:
            return False

    wait_until("the new key", is_rotated)
    assert keys.version > version


def test_unknown_keys_cause_few_requests(provider: Provider) -> None:
    """Any number of tokens with invented keys makes the service ask the provider once in a while only."""
    provider.text = key_set(ED)
    keys = provider.keys(300, 60)
    wait_until("the keys", lambda: known(keys) == {"ed"})
    for _ in range(100):
        assert set(keys.look_again()) == {"ed"}
    assert provider.requests == 1


def test_a_refresh_brings_new_keys(provider: Provider) -> None:
    """Keys are read again regularly, without any request for them."""
    provider.text = key_set(ED)
    keys = provider.keys(0.05, 0.05)
    wait_until("the keys", lambda: known(keys) == {"ed"})
    provider.text = key_set(ED, EC)
    wait_until("the new key", lambda: known(keys) == {"ed", "ec"})


def test_a_provider_that_fails_changes_nothing(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """While the provider fails, the known keys stay; the log names its host, and no password."""
    caplog.set_level(logging.DEBUG)
    provider.text = key_set(ED)
    keys = provider.keys(0.02, 0.02)
    wait_until("the keys", lambda: known(keys) == {"ed"})
    provider.text = None
    wait_until("a failure", lambda: "127.0.0.1 gave no keys: HTTPError" in caplog.text)
    provider.text = "no key set"
    wait_until("another failure", lambda: "gave no keys: ValueError" in caplog.text)
    assert known(keys) == {"ed"}
    provider.keys(300, 0.02, "user:swordfish@").start()
    wait_until("the login's failure", lambda: "URLError" in caplog.text)
    assert "swordfish" not in caplog.text
