"""The parts of gunicorn that are not its public interface, and that the API's worker relies on."""

import inspect
import socket
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import gunicorn
import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.message import Message, Request
from gunicorn.http.parser import Parser
from gunicorn.http.unreader import SocketUnreader, Unreader
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import TConn, ThreadWorker

REQUIREMENTS = Path(__file__).parents[3] / "requirements/api.txt"

WRITTEN_FOR = "27.0"
"""The minor version of gunicorn that the digests below are of."""

METHODS = {
    (ThreadWorker, "accept"): "f8dcead3dce5",
    (ThreadWorker, "enqueue_req"): "c9f428953d24",
    (ThreadWorker, "on_client_socket_readable"): "aead1a3ea7b7",
    (ThreadWorker, "on_pending_socket_readable"): "2475f7087832",
    (ThreadWorker, "murder_keepalived"): "4459960c4ccc",
    (ThreadWorker, "murder_pending"): "7bf11f464542",
    (ThreadWorker, "run"): "f92c7394d857",
    (ThreadWorker, "finish_request"): "616e7bb15a00",
    (ThreadWorker, "handle"): "ca85c9be3df7",
    (ThreadWorker, "_keepalive_after"): "4ebdbbc8bf5a",
    (ThreadWorker, "handle_request"): "6d0de5b91910",
    (Worker, "handle_error"): "75426448389b",
    (TConn, "__init__"): "c8763d7c6597",
    (TConn, "init"): "5ff3d4ba451c",
    (TConn, "close"): "6d1c334ed197",
    (Parser, "__next__"): "b8536520e958",
    (Parser, "finish_body"): "54c5d0d28c26",
    (Unreader, "read"): "cbfeead6687f",
    (SocketUnreader, "chunk"): "9f62532259f8",
    (LengthReader, "read"): "be99a0aa587f",
    (Body, "_read_reader"): "443e7cfab4b8",
    (Message, "force_close"): "656092cce3c3",
}
"""Each method that worker.py, connection.py and request_body.py replace or depend on: a digest of its source."""

FIELDS = {
    "worker": ("alive", "cfg", "log", "nr_conns", "pending_conns", "keepalived_conns", "poller", "worker_connections"),
    "connection": ("sock", "timeout", "parser", "data_ready"),
    "unreader": ("buf", "sock"),
    "request": ("headers", "body"),
    "reader": ("length",),
}
"""What is read or set on gunicorn's objects."""

ERRORS: dict[str, dict[str, Any]] = {
    "InvalidRequestLine": {"req": "x"},
    "InvalidRequestMethod": {"method": "x"},
    "InvalidHTTPVersion": {"version": "x"},
    "LimitRequestLine": {"size": 2, "max_size": 1},
    "LimitRequestHeaders": {"msg": "x"},
    "ObsoleteFolding": {"hdr": "x"},
    "InvalidHeaderName": {"hdr": "x"},
    "InvalidHeader": {"hdr": "x"},
    "UnsupportedTransferCoding": {"hdr": "x"},
    "ExpectationFailed": {"expect": "x"},
    "InvalidChunkSize": {"data": b"x"},
    "ChunkMissingTerminator": {"term": b"x"},
    "InvalidChunkExtension": {"reason": "x"},
    "InvalidResponseHeader": {"hdr": "x"},
    "InvalidResponseHeaderName": {"hdr": "x"},
    "ConfigurationProblem": {"info": "x"},
    "ParseException": {},
}
"""The errors of gunicorn.http.errors that refusals.py maps to responses, and their arguments, which it reads back."""


def problem(part: str, difference: str) -> str:
    return (
        f"gunicorn {gunicorn.__version__}: {part} {difference} since {WRITTEN_FOR}, which the API's worker was written "
        "for. Compare it with api/game_api/{worker,connection,request_body,refusals}.py, then update this test"
    )


def digest(owner: type, method: str) -> str:
    return sha256(inspect.getsource(getattr(owner, method)).encode()).hexdigest()[:12]


def changed_methods() -> list[str]:
    found = []
    for (owner, method), known in METHODS.items():
        name = f"{owner.__name__}.{method}"
        if not hasattr(owner, method):
            found.append(problem(name, "was removed"))
        elif digest(owner, method) != known:
            found.append(problem(name, f"has changed (to {digest(owner, method)})"))
    return found


@pytest.fixture
def objects() -> Iterator[dict[str, Any]]:
    """One of each of gunicorn's objects that the worker deals with, by the names in FIELDS."""
    config = Config()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n[]")
        connection = TConn(config, ours, ("127.0.0.1", 1), ("127.0.0.1", 2))
        connection.init()
        request = next(connection.parser)
        yield {
            "worker": ThreadWorker(0, 0, [], None, 30, config, Logger(config)),
            "connection": connection,
            "unreader": connection.parser.unreader,
            "request": request,
            "reader": request.body.reader,
        }


def test_gunicorn_is_the_version_that_the_worker_was_written_for() -> None:
    """Another minor version of gunicorn, installed or pinned, fails here first."""
    expected = f"gunicorn: expected {WRITTEN_FOR}.*, which the API's worker was written for"
    assert gunicorn.__version__.rpartition(".")[0] == WRITTEN_FOR, f"{expected}, got {gunicorn.__version__}"
    assert f"gunicorn=={WRITTEN_FOR}." in REQUIREMENTS.read_text(), f"{expected}, got another in {REQUIREMENTS.name}"


def test_the_methods_are_those_that_the_worker_was_written_for() -> None:
    """A method that the worker replaces or depends on has the source it was written for."""
    assert changed_methods() == []


@pytest.mark.parametrize("kind", FIELDS)
def test_gunicorns_objects_have_the_fields(objects: dict[str, Any], kind: str) -> None:
    """Each field that the worker reads or sets exists on gunicorn's own objects."""
    missing = [name for name in FIELDS[kind] if not hasattr(objects[kind], name)]
    assert not missing, problem(f"{type(objects[kind]).__name__}: {', '.join(missing)}", "was removed")


def test_a_request_is_read_through_the_parsers_unreader(objects: dict[str, Any]) -> None:
    """The parser and the body read from the same unreader, which the worker replaces by its own."""
    assert isinstance(objects["request"], Request)
    assert isinstance(objects["reader"], LengthReader)
    assert objects["reader"].unreader is objects["unreader"]
    assert objects["request"].headers == [("HOST", "a"), ("CONTENT-LENGTH", "2")]


@pytest.mark.parametrize("name", ERRORS)
def test_gunicorns_errors_have_what_a_response_shows(name: str) -> None:
    """Each error that becomes a response of its own exists, is a ParseException, and keeps its arguments."""
    kind = getattr(errors, name, None)
    assert kind, problem(f"errors.{name}", "was removed")
    assert issubclass(kind, errors.ParseException)
    error = kind(**ERRORS[name])
    missing = [field for field, value in ERRORS[name].items() if getattr(error, field, None) != value]
    assert not missing, problem(f"errors.{name}: {', '.join(missing)}", "was removed")


@pytest.mark.parametrize(("owner", "method"), METHODS)
def test_a_removed_or_changed_method_is_named(monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> None:
    """If a method is gone or different, the failure names it and the version of gunicorn."""
    name = f"gunicorn {gunicorn.__version__}: {owner.__name__}.{method}"
    monkeypatch.setattr(owner, method, problem)
    assert [found for found in changed_methods() if found.startswith(f"{name} has changed")]
    if method not in ("__init__", "close") and not any(hasattr(base, method) for base in owner.__bases__):
        monkeypatch.delattr(owner, method)
        assert [found for found in changed_methods() if found.startswith(f"{name} was removed")]
