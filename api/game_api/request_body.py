"""A request's body as the application reads it from gunicorn."""

from typing import Any

from gunicorn.http.body import LengthReader  # type: ignore[import-untyped]
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import BadRequest, HTTPException, RequestTimeout

from game_api.refusals import LateError, problem_of


class BodyReader:
    """Wraps gunicorn's reader of a body, and raises the application's errors for a malformed or late one."""

    def __init__(self, req: Any) -> None:  # noqa: ANN401 gunicorn has no types
        self._request = req
        self._reader = req.body.reader

    def read(self, size: int) -> bytes:
        expected = min(size, self._reader.length) if isinstance(self._reader, LengthReader) else 0
        try:
            data: bytes = self._reader.read(size)
        except LateError as error:
            raise self._closing(RequestTimeout(str(error))) from None
        except ParseException as error:
            raise self._closing(BadRequest(problem_of(error))) from None
        if len(data) < expected:
            raise self._closing(BadRequest("body: expected as many bytes as Content-Length, got fewer"))
        return data

    def _closing(self, error: HTTPException) -> HTTPException:
        """Close the connection after the response: the start of a next request is unknown."""
        self._request.force_close()
        return error
