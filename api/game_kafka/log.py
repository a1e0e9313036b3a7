"""The log of librdkafka, as part of the process's own."""

import logging
import re
import time

_REPEAT = 30.0
"""Seconds for which the same message is not logged again: librdkafka reports each attempt to connect, 20 a second."""


def client_log() -> logging.Logger:
    """Return the logger for a client that is polled all the time: only then are its messages delivered."""
    logger = logging.getLogger("librdkafka")
    if not logger.filters:
        logger.addFilter(_Repeats())
    return logger


class _Repeats(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self._logged: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        # The same message comes with other durations.
        message = re.sub(r"\d+ms", "", record.getMessage())
        now = time.monotonic()
        self._logged = {text: when for text, when in self._logged.items() if now - when < _REPEAT}
        return self._logged.setdefault(message, now) == now
