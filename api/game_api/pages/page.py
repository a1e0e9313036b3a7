"""The pages: files of `static`, with what a browser may do with them."""

from importlib.resources import files

from flask import Response

_HEADERS = {
    # All that a page needs is here, and nothing that players write can become code.
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def page(name: str) -> Response:
    """Answer with a file of `static`, which is HTML."""
    text = (files("game_api.pages") / "static" / name).read_bytes()
    return Response(text, mimetype="text/html", headers=_HEADERS)
