"""Documents for programs: the metrics, and the OpenAPI document."""

from flask import Flask, Response

from game_api import metrics
from game_api.openapi.document import document
from game_api.pages.page import json_page


def add_documents(app: Flask, mode: str) -> None:
    openapi = document(mode)

    def exposition() -> Response:
        return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)

    def description() -> Response:
        return json_page(openapi)

    app.add_url_rule("/metrics", "metrics", exposition)
    app.add_url_rule("/openapi.json", "openapi", description)
