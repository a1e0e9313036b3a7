"""The players' tokens, for clients of many threads that play for the same players."""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import orjson


class Tokens(Protocol):
    def lent(self, player: str) -> AbstractContextManager[str]:
        """Lend the player's token for a request; "" for a request without one."""

    def keep(self, player: str, sent: str, status: int, received: str) -> None:
        """Learn from the response to a request that was `sent` with this token, or without one."""


class IssuedTokens:
    """Tokens that `issue` makes for the name of a player, as an identity provider does."""

    def __init__(self, issue: Callable[[str], str]) -> None:
        self._issue = issue

    def lent(self, player: str) -> AbstractContextManager[str]:
        return nullcontext(self._issue(player))

    def keep(self, player: str, sent: str, status: int, received: str) -> None:
        """The provider alone makes tokens."""


NO_TOKENS = IssuedTokens(lambda _: "")


class ClaimedTokens:
    """Tokens that the first uses of names return, kept in a file for the runs to come.

    Of several requests of a player without a token, the first would claim the name, and the others would be refused: so
    they are sent one after the other, until it is known that the service believes every name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tokens: dict[str, str] = {}
        self._first_uses: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()
        self._is_open = False

    @contextmanager
    def lent(self, player: str) -> Iterator[str]:
        token = self._tokens.get(player, "")
        if token or self._is_open:
            yield token
            return
        with self._lock:
            first_use = self._first_uses[player]
        with first_use:
            yield self._token(player)

    def keep(self, player: str, sent: str, status: int, received: str) -> None:
        if received:
            with self._lock:
                self._tokens[player] = received
                self._write(player, received)
        elif not sent and status in (200, 409):
            # It acted for a player who proved nothing, and handed out no token.
            self._is_open = True

    def _token(self, player: str) -> str:
        # Another run may have claimed the name meanwhile.
        if player not in self._tokens and self._path.exists():
            kept = map(orjson.loads, self._path.read_bytes().splitlines())
            tokens = {one["player"]: one["token"] for one in kept}
            with self._lock:
                self._tokens = tokens | self._tokens
        return self._tokens.get(player, "")

    def _write(self, player: str, token: str) -> None:
        line = orjson.dumps({"player": player, "token": token}, option=orjson.OPT_APPEND_NEWLINE)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # One system call: lines of several threads and runs do not mix.
            os.write(file, line)
        finally:
            os.close(file)
