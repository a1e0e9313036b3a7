"""HTML pages and their files from `static`, with headers that restrict browsers, and JSON for the pages' scripts."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import orjson
from flask import Flask, Response, send_from_directory

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


def add_files(app: Flask, *names: str) -> None:
    """Serve these files of `static`, and no others."""

    def static(file: str) -> Response:
        return send_from_directory(str(files("game_api.pages") / "static"), file)

    listed = ",".join(f'"{name}"' for name in names)
    app.add_url_rule(f"/static/<any({listed}):file>", "static", static)


def json_page(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, mimetype="application/json")
