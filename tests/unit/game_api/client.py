"""A client of the service, without a server: Werkzeug's test client makes the requests."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar

from game_api.bodies import MAX_BODY
from game_api.door import Handler
from game_api.errors import InvalidRequestError
from game_api.request import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.test import Client

T = TypeVar("T")


@cache
def _runner() -> asyncio.Runner:
    # One event loop for all: connections to the store belong to it.
    return asyncio.Runner()


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    return _runner().run(coroutine)


def client_for(service: Handler, is_admin: bool = False) -> Client:
    """Return a client of this service's port for players, or of its admin port."""

    def application(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        request = _request(environ)
        request.is_admin = is_admin
        response = run(service(request))
        headers = [("Content-Type", response.media_type), ("Content-Length", str(len(response.body)))]
        start(
            f"{response.status} {HTTPStatus(response.status).phrase}",
            [*headers, *((name, str(value)) for name, value in response.headers.items())],
        )
        return [] if request.method == "HEAD" else [response.body]

    # Cookies are sent as the tests say.
    return Client(application, use_cookies=False)


def _request(environ: dict[str, Any]) -> Request:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    method, is_https = environ["REQUEST_METHOD"], environ["wsgi.url_scheme"] == "https"
    request = Request(method, "", environ["QUERY_STRING"], headers, address="127.0.0.1", is_https=is_https)
    try:
        request.path = environ["PATH_INFO"].encode("latin-1").decode()
    except UnicodeDecodeError:
        request.problem = InvalidRequestError("path", "is not UTF-8")
    request.body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if len(request.body) > MAX_BODY:
        request.problem = RequestEntityTooLarge()
    return request
