"""Players from whom nothing more is accepted: a file of names, one a line, as `erase.py --from-file` reads it."""

from game_events import name_lists
from game_events.names import normal

from game_api.identity.watched_file import WatchedFile

SETTING = "API_SUPPRESSED"
REFUSAL = "nothing more is accepted from this player"


class Suppression:
    """Raises SettingsError if the file is invalid. Without a file nobody is suppressed."""

    def __init__(self, path: str = "") -> None:
        self._names = WatchedFile(SETTING, path, _names) if path else None

    def names(self) -> frozenset[str]:
        """Return the names in normal form."""
        return self._names.content() if self._names else frozenset()


def _names(text: str) -> frozenset[str]:
    return frozenset(map(normal, name_lists.parse(text.encode())))
