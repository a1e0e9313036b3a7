"""The log of a process: lines with time, level and module, as text or as JSON."""

import json
import logging
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TextIO

from game_settings.reader import FromEnvironment, setting

_QUIET = ("py4j", "trino", "urllib3")
"""Libraries that log each call at INFO."""

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered, which its log lines name."""


@dataclass(frozen=True)
class LogSettings(FromEnvironment):
    format: str = setting("LOG_FORMAT", "text", choices=("text", "json"))
    level: str = setting("LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))


class _TextFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 as logging.Formatter
        line = super().formatMessage(record)
        return f"{line} (request {request})" if (request := REQUEST_ID.get()) else line


class _JsonFormatter(_TextFormatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "module": record.name,
            "message": record.getMessage(),
        }
        if request := REQUEST_ID.get():
            line["request_id"] = request
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def formatter(settings: LogSettings) -> logging.Formatter:
    return _JsonFormatter() if settings.format == "json" else _TextFormatter()


def set_up(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Log to this stream from now on, by default to standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(settings))
    logging.basicConfig(level=settings.level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(settings.level)))
