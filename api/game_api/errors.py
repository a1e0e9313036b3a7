"""What the service says no with."""


class InvalidRequestError(ValueError):
    """A request that cannot become an event; `field` is the header, parameter or part of the body to blame."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
