"""Connections to Trino."""

from typing import Any
from urllib.parse import urlsplit

from trino.auth import BasicAuthentication
from trino.dbapi import Connection, connect

from game_trino.settings import TrinoSettings


def connected(trino: TrinoSettings, user: str, **options: Any) -> Connection:  # noqa: ANN401 options of the client
    """Return a connection as this user, whose session is in UTC. It connects with the first query."""
    address = urlsplit(trino.url)
    return connect(
        host=address.hostname,
        port=address.port,
        http_scheme=address.scheme,
        user=user,
        auth=BasicAuthentication(user, trino.password) if trino.password else None,
        verify=trino.ca_location or True,
        timezone="UTC",
        **options,
    )
