from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from game_client import Client

from tests.unit.game_client.service import Service

Open = Callable[..., Client]


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture
def opened(service: Service, path: Path) -> Iterator[Open]:
    """Opens clients of one queue, with consent, that send at once and retry soon."""
    clients = []

    def make(**options: Any) -> Client:  # noqa: ANN401
        usual = {"player": "knight1", "batch_seconds": 0.01, "first_retry_seconds": 0.02}
        client = Client(service.url, path, **{**usual, **options})
        client.consent(True)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close(0)
