"""What the event loop answers about the service itself: whether it is alive, and whether events can be written."""

from game_api.log.event_log import EventLog
from game_api.replies import Response, error_reply, reply
from game_api.request import Request


class Health:
    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def alive(self, request: Request) -> Response:
        return reply(request, "alive", {"status": "alive"})

    async def ready(self, request: Request) -> Response:
        if self._log.is_ready():
            return reply(request, "ready", {"status": "ready"})
        return error_reply(request, "not-written", "Kafka is unavailable, or the topic does not exist", 503)
