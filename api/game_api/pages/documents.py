"""Documents for programs: the OpenAPI document for those of players, the metrics for those of operators."""

from flask import Flask, Response

from game_api import metrics
from game_api.openapi.document import document
from game_api.pages.page import json_page


def add_description(app: Flask, mode: str) -> None:
    openapi = document(mode)

    def description() -> Response:
        return json_page(openapi)

    app.add_url_rule("/openapi.json", "openapi", description)


def add_metrics(app: Flask) -> None:
    def exposition() -> Response:
        return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)

    app.add_url_rule("/metrics", "metrics", exposition)
