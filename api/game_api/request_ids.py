"""Request ids: the name by which a client, the proxies between and the log speak of the same request."""

import re
from collections.abc import Mapping
from random import getrandbits

REQUEST_ID_HEADER = "X-Request-Id"

_KEY = REQUEST_ID_HEADER.lower()
_VALID = re.compile(r"[0-9A-Za-z._:/+=@-]{1,128}", re.ASCII)
"""What can forge neither a log line nor a header, and is no longer than the ids that proxies make."""


def request_id(headers: Mapping[str, str]) -> str:
    """Return the id that the client or a proxy gave the request, or else a new one: 16 hexadecimal digits."""
    given = headers.get(_KEY)
    if given is not None and _VALID.fullmatch(given):
        return given
    # A name, not a secret. Python seeds this source of chance anew after a fork.
    return f"{getrandbits(64):016x}"
