"""What every long-running process does first: read its settings, set up logging, report unknown variables."""

import logging
import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Protocol, Self, TextIO, TypeVar

from game_settings.logs import LogSettings, set_up
from game_settings.reader import variables

_log = logging.getLogger(__name__)

_FOREIGN = re.compile(
    # Kubernetes describes each Service of the namespace in a pod's environment.
    r".*_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?"
    # Servers of the same name have settings of their own: KAFKA_HOME, KAFKA_OPTS.
    r"|HOME|DATA|HOST|(\w+_)?OPTS|LOG_DIR|LOG_DIRS)"
)
"""Variables that belong to other programs, although they begin like ours."""


class _Settings(Protocol):
    @property
    def log(self) -> LogSettings: ...

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = ...) -> Self: ...


T = TypeVar("T", bound=_Settings)


def start(cls: type[T], prefixes: tuple[str, ...], *related: type, stream: TextIO | None = None) -> T:
    """Read the settings of a process and set up its log, in which unknown variables with a prefix are reported.

    `related` are settings of other processes that may share this one's environment. Raises SettingsError.
    """
    settings = cls.from_environment()
    set_up(settings.log, stream)
    for message in unknown(os.environ, prefixes, cls, *related):
        _log.warning("%s", message)
    return settings


def unknown(environment: Iterable[str], prefixes: tuple[str, ...], *known: type) -> list[str]:
    """Describe each variable with one of these prefixes that none of these dataclasses reads."""
    names = set().union(*map(variables, known))
    found = sorted(name for name in environment if name.startswith(prefixes) and name not in names)
    return [_described(name, names) for name in found if not _FOREIGN.fullmatch(name)]


def _described(name: str, names: set[str]) -> str:
    closest = get_close_matches(name, sorted(names), 1)
    return f"{name}: unknown setting, ignored" + (f"; did you mean {closest[0]}?" if closest else "")
