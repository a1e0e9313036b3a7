"""Batching: calls that gather are one call, and a restarted store is found again."""

import asyncio
from asyncio import gather
from collections.abc import Awaitable, Callable
from time import sleep

import pytest
from game_world.batching import BatchedScript
from game_world.connection import StoreConnection
from game_world.store import Store
from redis.exceptions import ConnectionError as BrokenConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as LateError

from tests.unit.game_api.client import run

Call = Callable[[bytes], str]


@pytest.fixture
def script(store: Store) -> BatchedScript:
    """It replies to each argument with the argument, and fails if one is `fail`."""
    text = "for _, argument in ipairs(ARGV) do if argument == 'fail' then return {err = 'failed'} end end return ARGV"
    return BatchedScript(StoreConnection(store.url), text)


@pytest.fixture
def call(script: BatchedScript) -> Call:
    """Call the script once, and wait for its reply."""
    return lambda argument: run(script.call(argument))


def calls(store: Store) -> int:
    return int(store.redis.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0))


async def all_of(asked: list[Awaitable[str]]) -> list[str]:
    return list(await gather(*asked))


def test_every_call_gets_its_own_reply(script: BatchedScript) -> None:
    """Replies are not mixed up, however many call at once."""
    replies = run(all_of([script.call(b"%d" % number) for number in range(2000)]))
    assert replies == [str(number) for number in range(2000)]


def test_calls_of_one_tick_are_one_call_of_the_script(store: Store, script: BatchedScript, call: Call) -> None:
    """Calls that are made in the same tick are sent together, as are those that arrive while another one runs."""
    call(b"first")
    before = calls(store)

    async def ask() -> list[str]:
        early = [asyncio.ensure_future(script.call(b"%d" % number)) for number in range(10)]
        # Now the first ones are on their way.
        await asyncio.sleep(0.02)
        late = []
        for number in range(10, 20):
            late.append(asyncio.ensure_future(script.call(b"%d" % number)))
            # In another tick.
            await asyncio.sleep(0)
        return await all_of([*early, *late])

    store.redis.client_pause(500)
    assert run(ask()) == [str(number) for number in range(20)]
    assert calls(store) - before == 2


def test_an_error_concerns_only_its_batch(store: Store, script: BatchedScript, call: Call) -> None:
    """All calls of a failed batch fail, and the call after it gets its own reply."""

    async def ask() -> list[str | BaseException]:
        return await gather(script.call(b"one"), script.call(b"fail"), return_exceptions=True)

    assert call(b"first") == "first"
    before = store.redis.info("stats")["total_connections_received"]
    for _ in range(3):
        assert [type(reply) for reply in run(ask())] == [ResponseError, ResponseError]
        assert call(b"next") == "next"
    # The connection is as good as before.
    assert store.redis.info("stats")["total_connections_received"] == before


def test_replies_that_are_too_few_belong_to_nobody(store: Store) -> None:
    """If a script does not reply to each argument, all calls fail."""
    script = BatchedScript(StoreConnection(store.url), "return {ARGV[1]}")

    async def ask() -> list[str | BaseException]:
        asked = gather(script.call(b"one"), script.call(b"two"), return_exceptions=True)
        return await asyncio.wait_for(asked, 10)

    assert [type(reply) for reply in run(ask())] == [RedisError, RedisError]
    assert run(script.call(b"three")) == "three"


def test_a_call_that_nobody_waits_for_disturbs_no_other(script: BatchedScript) -> None:
    """Of two calls that are sent together, one may be cancelled."""

    async def ask() -> str:
        given_up = asyncio.ensure_future(script.call(b"one"))
        other = asyncio.ensure_future(script.call(b"two"))
        await asyncio.sleep(0)
        given_up.cancel()
        return await asyncio.wait_for(other, 10)

    assert run(ask()) == "two"


def test_commands_of_one_connection_take_turns(store: Store) -> None:
    """Each command gets its own reply, however many are asked at once."""
    connection = StoreConnection(store.url)

    async def ask() -> list[str]:
        return await gather(*[connection.execute("ECHO", str(number)) for number in range(100)])

    assert run(ask()) == [str(number) for number in range(100)]


def test_a_store_that_forgot_the_script_gets_it_again(store: Store, call: Call) -> None:
    """After SCRIPT FLUSH a call succeeds."""
    assert call(b"one") == "one"
    store.redis.script_flush()
    assert call(b"two") == "two"


def test_a_restarted_store_is_found_at_once(call: Call, store: Store) -> None:
    """A connection that was idle while the store closed it is replaced before the next call: none fails."""
    assert call(b"one") == "one"
    store.redis.client_kill_filter(_type="normal", skipme=True)
    # The event loop learns of it, as one that always runs does.
    run(asyncio.sleep(0.05))
    assert call(b"two") == "two"


def test_a_call_whose_connection_breaks_is_not_repeated() -> None:
    """A script that may have run does not run again: the call fails."""
    ran = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if b"EVAL" in data:
                ran.append(data)
                break
            writer.write(b"+OK\r\n" * data.count(b"*"))
        writer.close()

    async def ask() -> str:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            connection = StoreConnection(f"redis://127.0.0.1:{port}?protocol=2")
            return await BatchedScript(connection, "return ARGV").call(b"one")

    with pytest.raises(BrokenConnectionError):
        run(ask())
    assert len(ran) == 1


def test_a_late_reply_is_not_taken_for_the_next(store: Store, call: Call) -> None:
    """After a timeout the next call gets its own reply."""
    assert call(b"one") == "one"
    store.redis.client_pause(1600)
    with pytest.raises(LateError):
        call(b"two")
    sleep(0.9)
    assert call(b"three") == "three"
