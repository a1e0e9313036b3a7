"""The trace that a request belongs to (W3C Trace Context), which its records carry on in their headers."""

import re
from collections.abc import Mapping, Sequence

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"

Headers = Sequence[tuple[str, bytes]]
"""Headers of a record."""

_PARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_FLAGS = 0x03
"""The flags of version 00: sampled, and a random trace id."""

_MOST_STATE = 512
_MOST_MEMBERS = 32
_KEY = r"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
_MEMBER = re.compile(_KEY + r"=[ -+\--<>-~]{0,255}[!-+\--<>-~]")


def trace_headers(headers: Mapping[str, str]) -> Headers:
    """Return the headers of a request's records: none unless its `traceparent` is valid.

    A later version is carried on as version 00, as far as that says the same. A `tracestate` that is invalid or longer
    than 512 characters is dropped.
    """
    if TRACEPARENT not in headers:
        return ()
    found = _PARENT.fullmatch(headers[TRACEPARENT])
    if found is None or (found[1] == "00" and found[5]):
        return ()
    flags = int(found[4], 16) & _FLAGS
    made = [(TRACEPARENT, f"00-{found[2]}-{found[3]}-{flags:02x}".encode())]
    if state := _state(headers.get(TRACESTATE, "")):
        made.append((TRACESTATE, state.encode()))
    return made


def _state(text: str) -> str:
    """Return the members without empty ones, or "" if they are not valid."""
    if len(text) > _MOST_STATE:
        return ""
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    if len(members) > _MOST_MEMBERS or len(keys) < len(members) or not all(map(_MEMBER.fullmatch, members)):
        return ""
    return ",".join(members)
