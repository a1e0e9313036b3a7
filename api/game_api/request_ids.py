"""Request ids: the name by which a client, the proxies between and the log speak of the same request."""

import os
import re
from collections.abc import Mapping
from itertools import count
from secrets import token_hex

REQUEST_ID_HEADER = "X-Request-Id"

_KEY = REQUEST_ID_HEADER.lower()
_VALID = re.compile(r"[0-9A-Za-z._:/+=@-]{1,128}", re.ASCII)
"""What can forge neither a log line nor a header, and is no longer than the ids that proxies make."""

_process = ""
_number = count(1).__next__


def request_id(headers: Mapping[str, str]) -> str:
    """Return the id that the client or a proxy gave the request, or else a new one."""
    given = headers.get(_KEY)
    if given is not None and _VALID.fullmatch(given):
        return given
    # Drawing each would take three times as long. It is a name, not a secret.
    return f"{_process}{_number()}"


def _name_process() -> None:
    global _process
    _process = f"{token_hex(6)}-"


_name_process()
os.register_at_fork(after_in_child=_name_process)
