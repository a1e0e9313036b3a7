"""A request for one action: one event."""

from random import Random
from time import monotonic, time
from typing import Any

from flask import Flask, Response, request
from game_events import SCHEMA_VERSION, InvalidEventError, encode
from game_events.codec import validate_values
from game_events.event_ids import uuid7s

from game_api.actions import ACTIONS, Action
from game_api.errors import InvalidRequestError
from game_api.event_log import EventLog, Outcome, Record
from game_api.metrics import count_events
from game_api.origin import origin
from game_api.replies import reply, unwritten_reply


def add_actions(app: Flask, log: EventLog, random: Random) -> None:
    for action in ACTIONS:
        app.add_url_rule(action.path, action.event_type, _View(action, log, random), methods=["GET", "POST"])
    for rule in app.url_map.iter_rules():
        # Flask adds HEAD to GET, but a HEAD must not have an effect.
        (rule.methods or set()).discard("HEAD")


class _View:
    """Answers the requests for one action."""

    def __init__(self, action: Action, log: EventLog, random: Random) -> None:
        self._action = action
        self._log = log
        self._random = random
        self._parameters = {field.name for field in action.parameters}

    def __call__(self) -> Response:
        event = self._event()
        began = monotonic()
        [receipt] = self._log.append([Record(event["player"].encode(), encode(event))])
        count_events([(self._action.event_type, receipt.outcome)], monotonic() - began)
        if receipt.outcome is not Outcome.ACKED:
            return unwritten_reply(receipt, event["event_id"])
        body = {
            "answer": self._action.answer,
            "event_id": event["event_id"],
            "partition": receipt.partition,
            "offset": receipt.offset,
        }
        return reply(self._action.answer, body)

    def _event(self) -> dict[str, Any]:
        now = int(time() * 1000)
        sender = origin(request.environ)
        event: dict[str, Any] = {
            "event_id": sender.key or uuid7s(now, 1)[0],
            "event_type": self._action.event_type,
            "schema_version": SCHEMA_VERSION,
            "received_at": now,
            "player": sender.player,
            **sender.headers,
        }
        if sender.key:
            event["idempotent"] = True
        if self._action.description:
            event["description"] = self._action.description
        for name, draw in self._action.draws.items():
            event[name] = draw(self._random)
        if request.query_string:
            event.update(self._query())
        return event

    def _query(self) -> dict[str, str]:
        for name, given in request.args.lists():
            if name not in self._parameters:
                expected = ", ".join(sorted(self._parameters)) or "none"
                raise InvalidRequestError(name, f"is no parameter of this action (it has: {expected})")
            if len(given) > 1:
                raise InvalidRequestError(name, "came twice")
        values = request.args.to_dict()
        try:
            validate_values(self._action.event_type, values)
        except InvalidEventError as error:
            raise InvalidRequestError(error.field, error.problem) from None
        return values
