"""Runs commands in pods."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from kubernetes import client
from kubernetes.stream import stream
from kubernetes.stream.ws_client import ERROR_CHANNEL, STDERR_CHANNEL, STDIN_CHANNEL, STDOUT_CHANNEL
from websocket import ABNF

from testbed.cluster.command import KindError, tail
from testbed.cluster.connection import connect, explained


def execute(
    kubeconfig: Path, namespace: str, pod: str, command: tuple[str, ...], stdin: str = "", container: str = ""
) -> str:
    """Run a command in a pod, in the named one if it has several containers, and return what it printed."""
    with explained(f"{command[0]} in pod {pod}"):
        # A connection of its own: `stream` modifies its client.
        core = client.CoreV1Api(connect(kubeconfig))
        running = stream(
            core.connect_get_namespaced_pod_exec,
            pod,
            namespace,
            command=list(command),
            **({"container": container} if container else {}),
            stdin=bool(stdin),
            stdout=True,
            stderr=True,
            tty=False,
            binary=True,
            _preload_content=False,
        )
        try:
            if stdin:
                running.write_channel(STDIN_CHANNEL, stdin.encode())
                running.close_channel(STDIN_CHANNEL)
            output = _output(running)
        finally:
            running.close()
    status = json.loads(output[ERROR_CHANNEL] or b'{"message": "the connection was lost"}')
    if status.get("status") != "Success":
        errors = (output[STDERR_CHANNEL] or output[STDOUT_CHANNEL]).decode(errors="replace")
        raise KindError(f"{command[0]} in pod {pod}: {status.get('message')}\n{tail(errors)}")
    return output[STDOUT_CHANNEL].decode()


def _output(running: Any) -> dict[int, bytes]:  # noqa: ANN401 the client has no types
    """Return what a command wrote to each channel until it ended."""
    received: dict[int, list[bytes]] = {channel: [] for channel in (STDOUT_CHANNEL, STDERR_CHANNEL, ERROR_CHANNEL)}
    # The reply to the server's last frame fails if the server has closed the connection.
    with suppress(OSError):
        # Frame by frame: the client's own methods append by copying, which takes a minute for 20 MB.
        opcode, frame = running.sock.recv_data_frame(True)
        while opcode != ABNF.OPCODE_CLOSE:
            if opcode == ABNF.OPCODE_BINARY and frame.data[0] in received:
                received[frame.data[0]].append(frame.data[1:])
            opcode, frame = running.sock.recv_data_frame(True)
    return {channel: b"".join(parts) for channel, parts in received.items()}
