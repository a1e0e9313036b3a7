"""A request, as every transport passes it to the service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

from game_world.limits import Meter

from game_api.identity.caller import Caller


@dataclass(slots=True)
class Request:
    """`headers` has names in lower case and values decoded as latin-1, those of a repeated header joined by a comma.

    `query` is not decoded. `began` is the time (monotonic) of the request's first byte.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = ""
    is_https: bool = False
    began: float = field(default_factory=monotonic)
    problem: Exception | None = None
    """What is wrong with the request, if the transport knows: the response to this error is the whole response."""
    has_paid: bool = False
    """Whether the request was charged to its address's rate limit."""
    caller: Caller | None = None
    """Who sends it, once `is_identified`; None without a valid credential."""
    is_identified: bool = False

    meter: Meter | None = None
    """What is left in the buckets that the request was charged to, if its sender is to know."""

    @property
    def is_v1(self) -> bool:
        """Whether errors are reported as `/v1/…` does."""
        return self.path.startswith("/v1/") or self.path == "/v1"

    @property
    def media_type(self) -> str:
        """The body's media type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()
