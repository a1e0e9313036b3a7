"""A body that is sent in chunks."""

from gunicorn.asgi.parser import PythonProtocol  # type: ignore[import-untyped]

_HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
"""gunicorn's parser decodes chunks of a request only."""


class Chunks:
    """Decodes chunks as they arrive, by gunicorn's parser."""

    def __init__(self) -> None:
        self.body = bytearray()
        self._parser = PythonProtocol(on_body=self.body.extend)
        self._parser.feed(_HEAD)

    def feed(self, data: bytes | bytearray) -> bool:
        """Take more bytes; tell whether the body is complete. Raises gunicorn's ParseError."""
        self._parser.feed(data)
        return bool(self._parser.is_complete)

    def rest(self) -> bytes:
        """Return the bytes after the complete body."""
        return bytes(self._parser.remaining())
