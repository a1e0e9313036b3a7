"""Serves the test double, with the connections of the service's own workers."""

import asyncio
import signal
from functools import partial

from gunicorn.config import Config  # type: ignore[import-untyped]

from game_api.front.connection import Connection
from game_api.front.front import Front
from game_api.front.limits import REQUEST_FIELD, REQUEST_LINE
from game_api.micro.micro import Micro
from game_api.settings import Settings


async def serve(micro: Micro, settings: Settings, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; port 0 is any free one. Raises OSError if the address is not free."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    front = Front(micro, _parser_limits(), settings, loop)
    server = await loop.create_server(partial(Connection, front), host, port)
    bound = server.sockets[0].getsockname()
    shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
    print(f"http://{shown}:{bound[1]} serves the API in memory; Ctrl-C stops it", flush=True)
    await stopped.wait()
    server.close()
    front.stop()
    # What was asked before is still answered.
    deadline = loop.time() + 1
    while not front.is_idle and loop.time() < deadline:
        await asyncio.sleep(0.01)


def _parser_limits() -> Config:
    made = Config()
    made.set("limit_request_line", REQUEST_LINE)
    made.set("limit_request_field_size", REQUEST_FIELD)
    return made
