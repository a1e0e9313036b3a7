"""The naive baseline: an application that produces one record per request and does not wait for its acknowledgement.

It answers what the API answers, and writes the same fields. Two servers run it: Flask's development server, `python -m
testbed.bench.baseline PORT`, without its request log, because the API has none either; and gunicorn, `gunicorn
'testbed.bench.baseline:application()'`. Both read KAFKA_BOOTSTRAP_SERVERS and KAFKA_TOPIC from the environment.
"""

import json
import logging
import os
import random
import sys
import time
import uuid
from functools import partial
from typing import Any

from confluent_kafka import Producer
from flask import Flask, request
from game_events import FIRST, EventType

from testbed.settings import HOST


def create_app(producer: Producer, topic: str) -> Flask:
    app = Flask(__name__)
    for event_type in FIRST:
        app.add_url_rule(event_type.request, event_type.name, partial(_answer, producer, topic, event_type))
    app.add_url_rule("/healthz", "healthz", lambda: "alive")
    return app


def _answer(producer: Producer, topic: str, event_type: EventType) -> str:
    event: dict[str, Any] = {
        "event_id": str(uuid.uuid4()),
        "event_type": event_type.name,
        "schema_version": 1,
        "received_at": int(time.time() * 1000),
        "player": request.host,
        "host": request.host,
        "user_agent": request.headers.get("User-Agent"),
        "accept": request.headers.get("Accept"),
    }
    if event_type.description:
        event["description"] = event_type.description
    if event_type.draws:
        event["strength"] = min(10, max(0, round(random.gauss(5, 4))))
    producer.produce(topic, key=event["player"].encode(), value=json.dumps(event).encode())
    producer.poll(0)
    return event_type.result.answer


def application() -> Flask:
    """Return the application with a producer of its own; gunicorn calls this in each worker, after the fork."""
    return create_app(Producer({"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"]}), os.environ["KAFKA_TOPIC"])


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application().run(HOST, int(sys.argv[1]), threaded=True)
