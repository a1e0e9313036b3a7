"""Connections to Trino."""

from typing import Any
from urllib.parse import urlsplit

from requests import Session
from trino.auth import BasicAuthentication
from trino.dbapi import Connection, connect
from trino.exceptions import Error, HttpError

from game_trino.settings import TrinoSettings

FAILURES = (Error, HttpError, OSError)
"""What a query raises: that Trino refuses it, answers with an unexpected HTTP status, or cannot be reached."""


def connected(trino: TrinoSettings, user: str, **options: Any) -> Connection:  # noqa: ANN401 options of the client
    """Return a connection as this user, whose session is in UTC. It connects with the first query."""
    address = urlsplit(trino.url)
    return connect(
        host=address.hostname,
        port=address.port,
        http_scheme=address.scheme,
        user=user,
        auth=BasicAuthentication(user, trino.password) if trino.password else None,
        http_session=_session(trino.ca_location),
        timezone="UTC",
        **options,
    )


def _session(ca_location: str) -> Session:
    session = Session()
    if ca_location:
        session.verify = ca_location
        # Otherwise REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE would come before it.
        session.trust_env = False
    return session
