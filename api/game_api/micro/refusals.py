"""What was refused: requests, and events of bulk requests."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from werkzeug.exceptions import HTTPException

from game_api.bodies import body
from game_api.errors import InvalidRequestError
from game_api.replies import Response
from game_api.request import Request

MOST = 10_000
"""Refusals that are kept."""
SHOWN = 2048
"""Characters that are kept of a body, or of an event."""

Json = dict[str, Any]


class Refusals:
    def __init__(self) -> None:
        self._kept: deque[Json] = deque(maxlen=MOST)
        self._noted = 0

    @property
    def kept(self) -> list[Json]:
        """The refusals that are kept, newest last."""
        return list(self._kept)

    @property
    def dropped(self) -> int:
        return self._noted - len(self._kept)

    def note(self, request: Request, response: Response) -> None:
        """Note what this response refuses."""
        for refusal in _refusals(request, response):
            self._kept.append(refusal)
            self._noted += 1

    def clear(self) -> None:
        self._kept.clear()
        self._noted = 0


def _refusals(request: Request, response: Response) -> Iterator[Json]:
    if response.status < 400 and response.status != 207:
        return
    where = {"method": request.method, "path": request.path}
    data = _data(request)
    told = _told(response)
    results = told.get("results")
    if not isinstance(results, list):
        yield {"status": response.status, **where, **_reason(told), "body": _shown(data)}
        return
    # Not by orjson, which reads and writes less than the service accepts as JSON.
    items = json.loads(data)
    for index, (item, result) in enumerate(zip(items, results, strict=True)):
        if result["status"] != 200:
            text = json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
            yield {"status": result["status"], **where, "index": index, **_reason(result), "body": _shown(text)}


def _data(request: Request) -> bytes:
    """Return the body as it was read, or as it was sent if nobody could read it."""
    try:
        return body(request)
    except (HTTPException, InvalidRequestError):
        return request.body


def _told(response: Response) -> Mapping[str, Any]:
    """Return what an error says, as JSON has it."""
    if response.media_type.endswith("json"):
        return dict(orjson.loads(response.body))
    return {"error": response.body.decode().rstrip("\n"), **(response.members or {})}


def _reason(told: Mapping[str, Any]) -> Json:
    named = {name: told[name] for name in ("field", "type", "outcome", "event_id") if name in told}
    return {"error": told.get("detail", told.get("error", "")), **named}


def _shown(data: bytes) -> str:
    return data[: 4 * SHOWN].decode(errors="replace")[:SHOWN]
