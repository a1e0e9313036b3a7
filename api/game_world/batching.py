"""One script of the store, asked by many threads: who has the connection asks for all who wait (group commit)."""

from collections import deque
from threading import Lock
from time import monotonic
from typing import Any

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import NoScriptError, RedisError

_IDLE = 0.2
"""Seconds after which a connection is looked at before it is used: the store may have been started anew."""


class _Question:
    __slots__ = ("answer", "argument", "error")

    def __init__(self, argument: bytes) -> None:
        self.argument = argument
        self.answer: str | None = None
        self.error: RedisError | None = None


class Turns:
    """Asks a script that takes any number of arguments, and answers each. Survives a fork before it is first asked."""

    def __init__(self, redis: Redis, script: Script) -> None:
        self._redis = redis
        self._script = script
        self._turn = Lock()
        self._waiting: deque[_Question] = deque()
        self._connection: Any = None
        self._used = 0.0

    def ask(self, argument: bytes) -> str:
        """Return the script's answer. Raises RedisError."""
        question = _Question(argument)
        self._waiting.append(question)
        with self._turn:
            # Whoever had the turn before may have asked for this one, too.
            if question.answer is None and question.error is None:
                self._ask(self._take_waiting())
        if question.error:
            raise question.error
        assert question.answer is not None  # noqa: S101 for the type checker
        return question.answer

    def _take_waiting(self) -> list[_Question]:
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def _ask(self, questions: list[_Question]) -> None:
        try:
            answers = self._run([question.argument for question in questions])
        except Exception as error:
            # Those who came meanwhile would wait in vain, too.
            for question in [*questions, *self._take_waiting()]:
                question.error = error if isinstance(error, RedisError) else RedisError(f"unreadable answer: {error!r}")
        else:
            for question, answer in zip(questions, answers, strict=True):
                question.answer = answer

    def _run(self, arguments: list[bytes]) -> list[str]:
        connection = self._ready()
        try:
            connection.send_command("EVALSHA", self._script.sha, 0, *arguments, check_health=False)
            return list(connection.read_response())
        except NoScriptError:
            return list(self._script(args=arguments))
        except Exception:
            # An answer that was left unread would be taken for the next one's.
            connection.disconnect()
            raise

    def _ready(self) -> Any:  # noqa: ANN401 redis has no types here
        """Return the connection, which costs less than taking one from the pool each time."""
        if self._connection is None:
            self._connection = self._redis.connection_pool.make_connection()
        elif monotonic() - self._used > _IDLE and self._connection.is_connected and _has_ended(self._connection):
            self._connection.disconnect()
        self._used = monotonic()
        return self._connection


def _has_ended(connection: Any) -> bool:  # noqa: ANN401
    try:
        # Nothing was asked: what can be read is the end.
        return bool(connection.can_read(0))
    except RedisError:
        return True
