"""The parts of gunicorn that are not its public interface, and that the API's front relies on."""

import inspect
from hashlib import sha256
from pathlib import Path
from typing import Any

import gunicorn
import pytest
from game_api.front.chunks import Chunks
from gunicorn.asgi import parser
from gunicorn.asgi.parser import PythonProtocol
from gunicorn.config import Config
from gunicorn.http import errors
from gunicorn.http.body import LengthReader
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.base import Worker
from gunicorn.workers.gasgi import ASGIWorker

REQUIREMENTS = Path(__file__).parents[3] / "requirements/api.txt"

WRITTEN_FOR = "27.0"
"""The minor version of gunicorn that the digests below are of."""

METHODS = {
    (ASGIWorker, "init_process"): "1372e83712f0",
    (ASGIWorker, "load_wsgi"): "292aafe0c901",
    (ASGIWorker, "init_signals"): "3ffb903a13e4",
    (Worker, "init_signals"): "65442e0602b0",
    (ASGIWorker, "run"): "60eab51d5a8d",
    (ASGIWorker, "_serve"): "986a7a4ab51c",
    (ASGIWorker, "_get_ssl_context"): "5e27362f34c7",
    (ASGIWorker, "_cleanup"): "5a98ce1170c5",
    (Request, "parse"): "34c084607ae1",
    (Request, "set_body_reader"): "db5c46d4c717",
    (PythonProtocol, "feed"): "ff40ff8a76f9",
    (PythonProtocol, "remaining"): "3ab17cfac417",
    (PythonProtocol, "_parse_chunked_body"): "be459f71ae62",
}
"""Each method that the front replaces or depends on: a digest of its source."""

FIELDS = {
    "worker": ("alive", "asgi", "cfg", "log", "loop", "sockets", "worker_connections", "ppid", "_quick_shutdown"),
    "request": ("method", "path", "query", "headers", "version", "body"),
    "reader": ("length",),
}
"""What is read on gunicorn's objects."""

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
    "ParseException": {},
}
"""The errors of gunicorn.http.errors that front/refusals.py maps to responses, and the arguments that it reads back."""


def problem(part: str, difference: str) -> str:
    return (
        f"gunicorn {gunicorn.__version__}: {part} {difference} since {WRITTEN_FOR}, which the API's front was written "
        "for. Compare it with api/game_api/front, then update this test"
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
def objects() -> dict[str, Any]:
    """One of each of gunicorn's objects that the front deals with, by the names in FIELDS."""
    config = Config()
    head = b"POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
    request = Request(config, IterUnreader([head]), ("127.0.0.1", 1))
    worker = ASGIWorker(0, 0, [], None, 30, config, None)
    worker.asgi = None
    return {"worker": worker, "request": request, "reader": request.body.reader}


def test_gunicorn_is_the_version_that_the_front_was_written_for() -> None:
    """Another minor version of gunicorn, installed or pinned, fails here first."""
    expected = f"gunicorn: expected {WRITTEN_FOR}.*, which the API's front was written for"
    assert gunicorn.__version__.rpartition(".")[0] == WRITTEN_FOR, f"{expected}, got {gunicorn.__version__}"
    assert f"gunicorn=={WRITTEN_FOR}." in REQUIREMENTS.read_text(), f"{expected}, got another in {REQUIREMENTS.name}"


def test_the_methods_are_those_that_the_front_was_written_for() -> None:
    """A method that the front replaces or depends on has the source it was written for."""
    assert changed_methods() == []


@pytest.mark.parametrize("kind", FIELDS)
def test_gunicorns_objects_have_the_fields(objects: dict[str, Any], kind: str) -> None:
    """Each field that the front reads exists on gunicorn's own objects."""
    missing = [name for name in FIELDS[kind] if not hasattr(objects[kind], name)]
    assert not missing, problem(f"{type(objects[kind]).__name__}: {', '.join(missing)}", "was removed")


def test_a_head_is_parsed_without_its_body(objects: dict[str, Any]) -> None:
    """The parser needs a request's head only, and tells how long the body will be."""
    request = objects["request"]
    assert isinstance(objects["reader"], LengthReader)
    assert (request.method, request.path, request.query, request.version) == ("POST", "/a", "b=c", (1, 1))
    assert request.headers == [("HOST", "a"), ("CONTENT-LENGTH", "2")]
    assert objects["reader"].length == 2


def test_chunks_are_decoded_as_they_arrive() -> None:
    """However chunks are cut, the body is the same, and what follows it is kept."""
    data = b"5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n"
    chunks = Chunks()
    assert [chunks.feed(data[place : place + 1]) for place in range(len(data))] == [False] * (len(data) - 1) + [True]
    assert bytes(chunks.body) == b"hello!"
    whole = Chunks()
    assert whole.feed(data + b"GET /")
    assert (bytes(whole.body), whole.rest()) == (b"hello!", b"GET /")
    with pytest.raises(parser.ParseError):
        Chunks().feed(b"zz\r\n")


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
    if not any(hasattr(base, method) for base in owner.__bases__):
        monkeypatch.delattr(owner, method)
        assert [found for found in changed_methods() if found.startswith(f"{name} was removed")]
