"""Errors of the service."""

from game_events.codec import shown


class InvalidRequestError(ValueError):
    """An invalid request; `field` names the wrong header, parameter or part of the body."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = shown(field)
        super().__init__(f"{self.field}: {problem}")
