"""Connections of the official client to the cluster's API server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError, ResourceNotFoundError
from urllib3.exceptions import HTTPError
from websocket import WebSocketException

from testbed.cluster.command import KindError

_CONNECTIONS = 32
"""Each watch holds one."""


def connect(kubeconfig: Path) -> Any:  # noqa: ANN401 the client has no types
    settings = client.Configuration()
    settings.connection_pool_maxsize = _CONNECTIONS
    return config.new_client_from_config(str(kubeconfig), client_configuration=settings)


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn every error of the client into a KindError."""
    try:
        yield
    except DynamicApiError as error:
        raise KindError(f"{what}: {error.summary()}") from error
    except ApiException as error:
        raise KindError(f"{what}: {error.reason}") from error
    except (HTTPError, ResourceNotFoundError, config.ConfigException, WebSocketException) as error:
        raise KindError(f"{what}: {error}") from error
