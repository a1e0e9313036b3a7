"""Requests for a single action, which becomes one event."""

from collections.abc import Mapping
from random import Random
from time import monotonic, time
from typing import Any

from game_events import SCHEMA_VERSION, EventType, InvalidEventError, encode
from game_events.codec import validate_values
from game_events.effects import filled, result_of
from game_events.event_ids import RETRY_SECONDS, TOO_LATE, is_service_made, may_be_retried, uuid7s
from game_events.names import displayed, prepare
from game_world.commands import preconditions_of
from game_world.world import Decision, World, WorldUnavailableError

from game_api.attempts import client_receipts
from game_api.callers import Callers
from game_api.errors import InvalidRequestError
from game_api.identity.caller import PLAY
from game_api.identity.errors import ForbiddenError
from game_api.identity.suppression import REFUSAL
from game_api.log.event_log import KAFKA_UNAVAILABLE, EventLog, Outcome, Receipt, Record
from game_api.metrics import count_events
from game_api.origin import KEY_HEADER, Origin
from game_api.parameters import parameters
from game_api.replies import Response, reply, unwritten_reply
from game_api.request import Request
from game_api.speculation import refuse_speculation
from game_api.trace_context import trace_headers


class Action:
    """Responds to the requests for one action."""

    def __init__(
        self, event_type: EventType, log: EventLog, world: World | None, callers: Callers, random: Random
    ) -> None:
        self._type = event_type
        self._log = log
        self._world = world
        self._callers = callers
        self._random = random
        self._parameters = {field.name: field for field in event_type.parameters}
        self._required = [field.name for field in event_type.parameters if field.required]

    async def __call__(self, request: Request) -> Response:
        refuse_speculation(request.headers)
        sender, _ = await self._callers.identified(request, PLAY)
        if sender.player in self._callers.identity.suppression.names():
            raise ForbiddenError("player", REFUSAL)
        event = self._event(request, sender)
        if not self._log.is_reachable():
            # Do not decide what could not be written.
            count_events([(self._type.name, Outcome.REFUSED)], 0.0)
            return await self._unwritten(request, event, KAFKA_UNAVAILABLE)
        decision = await self._decide(request, event)
        event |= decision.fields
        record = Record(event["player"].encode(), encode(event))
        answer = filled(result_of(self._type, event).answer, displayed(event))
        decided = monotonic()
        [receipt] = await self._log.append([record], decided - request.began, trace_headers(request.headers))
        count_events([(self._type.name, receipt.outcome)], monotonic() - decided)
        if receipt.outcome is not Outcome.ACKED:
            if receipt.outcome is Outcome.UNKNOWN and self._world:
                await self._world.note_unconfirmed([event], decision.reply)
            is_refused = receipt.outcome is Outcome.REFUSED
            if is_refused and self._world and (decision.again or not await self._world.revert(event)):
                # The event of another request with this key may be in the topic.
                receipt = receipt._replace(outcome=Outcome.UNKNOWN)
            return await self._unwritten(request, event, receipt)
        body = {
            "answer": answer,
            "event_id": event["event_id"],
            "partition": receipt.partition,
            "offset": receipt.offset,
        }
        return self._acked(request, event, body)

    def _acked(self, request: Request, event: Mapping[str, Any], body: Mapping[str, Any]) -> Response:
        """Respond to a request whose event Kafka has stored."""
        return reply(request, body["answer"], body)

    async def _unwritten(self, request: Request, event: Mapping[str, Any], receipt: Receipt) -> Response:
        [receipt] = await client_receipts(self._world, [event], [receipt])
        if event.get("idempotent"):
            retry = f"retry with the same {KEY_HEADER}"
        else:
            retry = f"retry with {KEY_HEADER}: {event['event_id']} within {RETRY_SECONDS // 60} minutes"
        return unwritten_reply(request, receipt, event["event_id"], retry)

    async def _decide(self, request: Request, event: Mapping[str, Any]) -> Decision:
        if self._world:
            return await self._world.decide(event, request.address, self._random, request.meter, request.is_v1)
        if self._type.is_free and not preconditions_of(self._type, event, request.is_v1):
            return Decision({})
        raise WorldUnavailableError("this service has no world")

    def _event(self, request: Request, sender: Origin) -> dict[str, Any]:
        now = int(time() * 1000)
        self._check_key(sender.key)
        if is_service_made(sender.key) and not may_be_retried(sender.key, now):
            raise InvalidRequestError(KEY_HEADER, TOO_LATE)
        event: dict[str, Any] = {
            "event_id": sender.key or uuid7s(now, 1)[0],
            "event_type": self._type.name,
            "schema_version": SCHEMA_VERSION,
            "received_at": now,
            "player": sender.player,
            **sender.headers,
        }
        if sender.player_name:
            event["player_name"] = sender.player_name
        if sender.key:
            event["idempotent"] = True
        if self._type.description:
            event["description"] = self._type.description
        for name, distribution in self._type.draws.items():
            event[name] = distribution.draw(self._random)
        event.update(self._parameters_given(request))
        for name in self._required:
            if name not in event:
                raise InvalidRequestError(name, "is missing")
        return event

    def _check_key(self, key: str) -> None:
        """Raise InvalidRequestError if the request needs a key and has none."""

    def _parameters_given(self, request: Request) -> dict[str, Any]:
        values = self._read(request)
        try:
            validate_values(self._type.name, values)
            prepare(values)
        except InvalidEventError as error:
            raise InvalidRequestError(error.field, error.problem) from None
        return values

    def _read(self, request: Request) -> dict[str, Any]:
        """Return the parameters as the request gives them; raise InvalidRequestError for one that is not known."""
        return parameters(request, self._parameters)
