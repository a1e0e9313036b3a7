"""Why a caller is refused. No message contains a credential."""


class UnauthorizedError(Exception):
    """Nobody knows who the caller is (401); `field` names the header."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}")


class ForbiddenError(Exception):
    """The caller is known, and may not do this (403); `field` names the header or the event's field."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        super().__init__(f"{field}: {problem}")


class KeysUnavailableError(Exception):
    """The identity provider's keys are not known yet (503): nothing has happened, a retry helps."""

    def __init__(self) -> None:
        super().__init__("the keys of the identity provider are being read")
