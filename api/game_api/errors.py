"""What the service says no with."""

from game_events.codec import shown


class InvalidRequestError(ValueError):
    """A request that cannot become an event; `field` is the header, parameter or part of the body to blame."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = shown(field)
        super().__init__(f"{self.field}: {problem}")
