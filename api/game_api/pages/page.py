"""HTML pages from `static`, with headers that restrict what a browser may do with them, and JSON for their scripts."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import orjson
from flask import Response

_HEADERS = {
    # Pages load only their own files, so text written by players cannot become code.
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def page(name: str) -> Response:
    """Respond with an HTML file from `static`."""
    text = (files("game_api.pages") / "static" / name).read_bytes()
    return Response(text, mimetype="text/html", headers=_HEADERS)


def json_page(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, mimetype="application/json")
