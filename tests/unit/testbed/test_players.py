import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from random import Random

import pytest
from game_api import create_app
from game_api.log.event_log import Outcome
from game_events import EVENT_TYPES
from testbed.settings import HOST, Ports
from testbed.simulator.characters import CHARACTERS
from testbed.simulator.client import Answer, Client, request_for
from testbed.simulator.moves import Move, moves

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog

MOVE = Move("play-1-1", "knight1.att.com", "default", {}, again=False)


def test_the_same_seed_draws_the_same() -> None:
    """Two runs with one seed send the same requests under different keys."""
    first, again, other = (list(islice(moves(seed, 20, run), 500)) for seed, run in ((1, "a"), (1, "b"), (2, "a")))
    assert [move[1:] for move in first] == [move[1:] for move in again]
    assert [move[1:] for move in first] != [move[1:] for move in other]
    assert len({move.key for move in first + again}) == 1000


def test_moves_are_valid_requests() -> None:
    """The API accepts every drawn request, or refuses it by the rules: none is malformed."""
    log = MemoryLog()
    client = client_for(create_app(log, random=Random(1)))
    drawn = list(islice(moves(3, 24, "a"), 2500))
    answers = Counter()
    for path, headers, body in map(request_for, drawn):
        answers[client.post(path, data=body, headers=headers).status_code] += 1
    # Without a world, actions that depend on it get a 503.
    assert set(answers) == {200, 503}
    assert {move.event_type for move in drawn} == set(EVENT_TYPES)
    written = [(event["event_id"], event["player"], event["host"], event["event_type"]) for event in log.events]
    assert written == [
        (move.key, move.player, move.player, move.event_type)
        for move in drawn
        if EVENT_TYPES[move.event_type].is_free and not (move.event_type == "join_guild" and "guild" in move.parameters)
    ]


def test_characters_differ() -> None:
    """Warlords fight more than the others do, merchants trade more, and explorers explore more."""
    done: dict[str, Counter[str]] = {}
    for move in islice(moves(1, 24, "a"), 20_000):
        number = int(move.player.removeprefix("knight").split(".")[0])
        character = CHARACTERS[number % len(CHARACTERS)].name
        done.setdefault(character, Counter())[EVENT_TYPES[move.event_type].family] += 1
    for character, family in (("warlord", "battles"), ("merchant", "trades"), ("explorer", "quests")):
        assert max(done, key=lambda name: done[name][family]) == character


@contextmanager
def server(answer: bytes | None) -> Iterator[int]:
    """Answer one request with these bytes and close; with None, send nothing until the client closes."""
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(10_000)
                if answer is None:
                    connection.recv(1)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def http(status: str, *headers: str, body: str = "{}") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines).encode()


PLACE = '{"event_id": "play-1-1", "partition": 2, "offset": 17}'
PROBLEM = "Content-Type: application/problem+json"
REFUSED, UNKNOWN = '{"outcome": "refused"}', '{"outcome": "unknown"}'


@pytest.mark.parametrize(
    ("received", "answer"),
    [
        (http("200 OK", body=PLACE), Answer(Outcome.ACKED, 2, 17)),
        (http("503 Unavailable", PROBLEM, "Retry-After: 0", body=REFUSED), Answer(Outcome.REFUSED, pause=0)),
        (http("503 Unavailable", PROBLEM, "Retry-After: 30", body=UNKNOWN), Answer(Outcome.UNKNOWN, pause=1)),
        (http("503 Unavailable", PROBLEM), Answer(Outcome.UNKNOWN)),
        (http("503 Unavailable", PROBLEM, body=REFUSED[:-5]), Answer(Outcome.UNKNOWN)),
        (http("503 Unavailable", PROBLEM, body='["refused"]'), Answer(Outcome.UNKNOWN)),
        (http("503 A proxy's", "Content-Type: application/json", body=REFUSED), Answer(Outcome.UNKNOWN)),
        (http("503 Busy"), Answer(Outcome.UNKNOWN)),
        (http("409 Conflict", PROBLEM), Answer(Outcome.REFUSED, forbidden=True)),
        (http("401 Unauthorized", PROBLEM), Answer(Outcome.REFUSED)),
        (http("429 Too Many Requests", PROBLEM, "Retry-After: 9"), Answer(Outcome.REFUSED)),
        (http("400 Bad"), Answer(Outcome.REFUSED)),
        (http("500 Broken"), Answer(Outcome.UNKNOWN)),
        (http("200 OK", body="<p>A proxy's page"), Answer(Outcome.UNKNOWN)),
        (http("200 OK", body=PLACE)[:-10], Answer(Outcome.UNKNOWN)),
        (b"", Answer(Outcome.UNKNOWN)),
        (b"nonsense\r\n\r\n", Answer(Outcome.UNKNOWN)),
        (None, Answer(Outcome.UNKNOWN)),
    ],
)
def test_what_an_answer_means(received: bytes | None, answer: Answer) -> None:
    """An event is refused only if it was definitely not written; after a broken or late answer it is unknown."""
    with server(received) as port:
        client = Client(port, timeout=1 if received is None else 60)
        assert client.send(MOVE) == answer
        client.close()


def test_an_api_that_is_down() -> None:
    """Without a connection nothing was sent: the event is refused."""
    assert Client(Ports.free().api).send(MOVE) == Answer(Outcome.REFUSED)
