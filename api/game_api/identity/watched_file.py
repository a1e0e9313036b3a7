"""A file that is read again once it has changed, so that its secrets and keys are rotated without a restart."""

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

from game_settings.reader import SettingsError

CHECK_SECONDS = 1.0
"""A changed file is noticed after so long at most."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


class WatchedFile(Generic[T]):
    """The content as `parse` returns it; raises SettingsError, which names the setting, if the first one is invalid.

    A later content that is invalid is logged, and the one before stays.
    """

    def __init__(self, setting: str, path: str, parse: Callable[[str], T]) -> None:
        self._setting = setting
        self._path = Path(path)
        self._parse = parse
        self._lock = Lock()
        self._checked = monotonic()
        self._state = self._state_now()
        self._content = self._read()
        self.version = 0
        """It grows with each change."""

    def content(self, at_once: bool = False) -> T:
        """Return the content; `at_once` looks for a change even if that was just done."""
        if at_once or monotonic() - self._checked > CHECK_SECONDS:
            with self._lock:
                self._check()
        return self._content

    @property
    def changed_at(self) -> float:
        """When the file was written, in seconds since the epoch."""
        return self._state[0] / 1e9 if self._state else 0.0

    def _check(self) -> None:
        self._checked = monotonic()
        state = self._state_now()
        if state == self._state:
            return
        self._state = state
        try:
            self._content = self._read()
        except SettingsError as error:
            _log.warning(f"{error}; what was read before holds")
        else:
            self.version += 1
            _log.info(f"{self._setting}: read again")

    def _state_now(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _read(self) -> T:
        try:
            return self._parse(self._path.read_text())
        except (OSError, UnicodeDecodeError) as error:
            problem = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise SettingsError(f"{self._setting}: expected a readable file, got {self._path}: {problem}") from None
        except ValueError as error:
            raise SettingsError(f"{self._setting}: {self._path}: {error}") from None


def lines(text: str) -> list[tuple[int, str]]:
    """Return the lines that are neither empty nor comments, with their numbers."""
    numbered = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in numbered if line and not line.startswith("#")]
