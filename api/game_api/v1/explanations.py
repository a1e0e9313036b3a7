"""`GET /v1/problems/<name>`: what a type of problem means."""

from game_api.replies import Response, json_reply
from game_api.request import Request
from game_api.v1.problems import PROBLEMS, type_of


class Explanation:
    """Explains one type of problem, or lists all if `kind` is ""."""

    def __init__(self, kind: str = "") -> None:
        self._kind = kind

    async def __call__(self, request: Request) -> Response:
        if self._kind:
            return json_reply(_explained(self._kind))
        return json_reply({"problems": [_explained(kind) for kind in PROBLEMS]})


def _explained(kind: str) -> dict[str, str | int]:
    status, title = PROBLEMS[kind]
    return {"type": type_of(kind), "title": title, "status": status}
