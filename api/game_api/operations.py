"""Endpoints about the service itself: health, metrics, OpenAPI document."""

from flask import Flask, Response

from game_api import metrics
from game_api.log.event_log import EventLog
from game_api.openapi.document import document
from game_api.replies import error_reply, json_reply, reply


def add_operations(app: Flask, log: EventLog, mode: str) -> None:
    openapi = document(mode)

    def healthz() -> Response:
        return reply("alive", {"status": "alive"})

    def readyz() -> Response:
        if log.is_ready():
            return reply("ready", {"status": "ready"})
        return error_reply("Kafka is unavailable, or the topic does not exist", 503)

    def exposition() -> Response:
        return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)

    def description() -> Response:
        return json_reply(openapi)

    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)
    app.add_url_rule("/metrics", "metrics", exposition)
    app.add_url_rule("/openapi.json", "openapi", description)
