"""Batching: many threads share one connection and one call, and a restarted store is found again."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest
from game_world.batching import BatchedScript
from game_world.store import Store
from redis.exceptions import ConnectionError as BrokenConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as LateError


@pytest.fixture
def script(store: Store) -> BatchedScript:
    """It replies to each argument with the argument, and fails if one is `fail`."""
    text = "for _, argument in ipairs(ARGV) do if argument == 'fail' then return {err = 'failed'} end end return ARGV"
    return BatchedScript(store.redis, store.redis.register_script(text))


def calls(store: Store) -> int:
    return int(store.redis.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0))


def test_every_thread_gets_its_own_reply(script: BatchedScript) -> None:
    """Replies are not mixed up, however many threads call at once."""
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda number: script.call(b"%d" % number), range(2000)))
    assert replies == [str(number) for number in range(2000)]


def test_waiting_calls_are_one_call_of_the_script(store: Store, script: BatchedScript) -> None:
    """Calls that arrive while another one runs are sent together."""
    script.call(b"first")
    before = calls(store)
    store.redis.client_pause(500)
    with ThreadPoolExecutor(20) as pool:
        replies = [pool.submit(script.call, b"%d" % number) for number in range(20)]
        assert [reply.result() for reply in replies] == [str(number) for number in range(20)]
    assert calls(store) - before == 2


def test_an_error_concerns_only_its_batch(script: BatchedScript) -> None:
    """The call after a failed one gets its own reply."""
    for _ in range(3):
        with pytest.raises(ResponseError, match="failed"):
            script.call(b"fail")
        assert script.call(b"next") == "next"


def test_a_store_that_forgot_the_script_gets_it_again(store: Store, script: BatchedScript) -> None:
    """After SCRIPT FLUSH a call succeeds."""
    assert script.call(b"one") == "one"
    store.redis.script_flush()
    assert script.call(b"two") == "two"


def test_a_restarted_store_is_found_at_once(script: BatchedScript, store: Store) -> None:
    """A connection that was idle while the store closed it is replaced before the next call: none fails."""
    assert script.call(b"one") == "one"
    sleep(0.25)
    store.redis.client_kill_filter(_type="normal", skipme=True)
    assert script.call(b"two") == "two"


def test_a_connection_that_breaks_fails_one_call(script: BatchedScript, store: Store) -> None:
    """A script that may have run does not run again: the call fails, and the next one succeeds."""
    assert script.call(b"one") == "one"
    store.redis.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(BrokenConnectionError):
        script.call(b"two")
    assert script.call(b"three") == "three"


def test_a_late_reply_is_not_taken_for_the_next(store: Store, script: BatchedScript) -> None:
    """After a timeout the next call gets its own reply."""
    assert script.call(b"one") == "one"
    store.redis.client_pause(1300)
    with pytest.raises(LateError):
        script.call(b"two")
    sleep(0.5)
    assert script.call(b"three") == "three"
