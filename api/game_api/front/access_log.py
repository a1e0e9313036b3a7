"""Lines of the access log, by gunicorn's logger."""

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from urllib.parse import quote

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from game_api.replies import Response
from game_api.request import Request

FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" "%({x-request-id}o)s"'
"""gunicorn's own format of a line, and the request's id."""


@dataclass(frozen=True)
class _Answered:
    """What gunicorn's logger reads of a response."""

    status: str
    sent: int
    headers: list[tuple[str, str]]


def log_access(log: Logger, request: Request, response: Response) -> None:
    """Log a request that was answered; its path is quoted, so that it cannot forge lines."""
    path = quote(request.path)
    environ = {
        "REMOTE_ADDR": request.address,
        "REQUEST_METHOD": request.method,
        "RAW_URI": f"{path}?{request.query}" if request.query else path,
        "PATH_INFO": path,
        "QUERY_STRING": request.query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_REFERER": request.headers.get("referer", "-"),
        "HTTP_USER_AGENT": request.headers.get("user-agent", "-"),
    }
    answered = _Answered(str(response.status), len(response.body), list(response.headers.items()))
    # gunicorn takes the headers from an object that has them, or from a mapping.
    log.access(answered, request.headers, environ, timedelta(seconds=monotonic() - request.began))
