"""The identity provider's public keys, as a JSON Web Key Set (RFC 7517): from a file, or from a URL."""

import json
import logging
import os
from collections.abc import Mapping
from http.client import HTTPException
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from game_api.identity.errors import KeysUnavailableError
from game_api.identity.watched_file import WatchedFile

ALGORITHMS = frozenset({"EdDSA", "ES256", "RS256"})
SETTING = "API_JWKS"

_LEAST_RSA = 2048
_TIMEOUT = 5.0
_MOST_BYTES = 256 * 1024
_PAUSE = 10.0
"""Seconds between two requests to the identity provider, however many tokens name an unknown key."""

Keys = Mapping[str, PyJWK]
"""Keys by their id; "" for a key without one."""

_log = logging.getLogger(__name__)


class KeySet(Protocol):
    @property
    def version(self) -> int:
        """It grows with each change of the keys."""

    def keys(self) -> Keys:
        """Return the known keys; raise KeysUnavailableError if there never were any."""

    def look_again(self) -> Keys:
        """Return the keys after a token named an unknown one; raise KeysUnavailableError if they are being read."""


class KeySetFile:
    """Raises SettingsError if the file is invalid."""

    def __init__(self, path: str) -> None:
        self._keys = WatchedFile(SETTING, path, parsed)

    @property
    def version(self) -> int:
        return self._keys.version

    def keys(self) -> Keys:
        return self._keys.content()

    def look_again(self) -> Keys:
        return self._keys.content(at_once=True)


class KeySetUrl:
    """A thread reads the URL: no request waits for it. If that fails, the keys that are known stay.

    Survives a fork before its first use.
    """

    def __init__(self, url: str, refresh_seconds: float, pause: float = _PAUSE) -> None:
        self.version = 0
        self._url = url
        self._refresh = refresh_seconds
        self._pause = pause
        self._keys: Keys | None = None
        self._lock = Lock()
        self._wanted = Event()
        self._read_at = -pause
        self._process = 0
        self._closed = False

    def start(self) -> None:
        """Begin to read, unless this process does so already."""
        if self._process != os.getpid():
            with self._lock:
                if self._process != os.getpid():
                    self._process = os.getpid()
                    Thread(target=self._run, name="jwks", daemon=True).start()

    def close(self) -> None:
        """Stop reading."""
        self._closed = True
        self._wanted.set()

    def keys(self) -> Keys:
        self.start()
        if self._keys is None:
            raise KeysUnavailableError
        return self._keys

    def look_again(self) -> Keys:
        keys = self.keys()
        if self._wanted.is_set() or monotonic() - self._read_at >= self._pause:
            self._wanted.set()
            raise KeysUnavailableError
        return keys

    def _run(self) -> None:
        while not self._closed:
            is_read = self._read()
            self._read_at = monotonic()
            self._wanted.clear()
            self._wanted.wait(0 if self._closed else self._refresh if is_read else min(self._pause, self._refresh))

    def _read(self) -> bool:
        try:
            found = parsed(_fetched(self._url))
        except (OSError, HTTPException, ValueError) as error:
            # The message of an error may repeat the URL, which may contain a password.
            _log.warning(f"{SETTING}: {urlsplit(self._url).hostname} gave no keys: {type(error).__name__}")
            return False
        if self._keys is None or _fingerprints(found) != _fingerprints(self._keys):
            self._keys = found
            self.version += 1
            _log.info(f"{SETTING}: {len(found)} keys, ids {', '.join(sorted(found))[:500]}")
        return True


def parsed(text: str) -> Keys:
    """Return the keys that may verify a token; raise ValueError if the text is no key set, or has none of them."""
    try:
        entries = json.loads(text)["keys"]
    except (ValueError, TypeError, KeyError):
        raise ValueError("expected a JSON Web Key Set") from None
    if not isinstance(entries, list):
        raise ValueError("expected a list of keys in the JSON Web Key Set")
    usable = {str(entry.get("kid", "")): key for entry in entries if (key := _usable(entry))}
    if not usable:
        raise ValueError(f"expected a public key for {', '.join(sorted(ALGORITHMS))}, got none")
    return usable


def _usable(entry: Any) -> PyJWK | None:  # noqa: ANN401 JSON
    # `d` and `k` are secrets: a client that reads such a key set could sign tokens.
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or "d" in entry or "k" in entry:
        return None
    try:
        key = PyJWK(entry)
    except PyJWTError:
        return None
    if key.algorithm_name not in ALGORITHMS or getattr(key.key, "key_size", _LEAST_RSA) < _least_size(key):
        return None
    return key


def _least_size(key: PyJWK) -> int:
    return _LEAST_RSA if key.algorithm_name == "RS256" else 0


def _fetched(url: str) -> str:
    request = Request(url, headers={"Accept": "application/json", "User-Agent": "game-api"})  # noqa: S310 by a setting
    with urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
        data: bytes = response.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"expected at most {_MOST_BYTES} bytes")
    return data.decode()


def _fingerprints(keys: Keys) -> dict[str, str]:
    return {name: json.dumps(key._jwk_data, sort_keys=True) for name, key in keys.items()}
