"""The world and offsets that hold no record: ends of transactions, and what was aborted."""

import time
from collections.abc import Sequence

from confluent_kafka import Producer
from game_events import SCHEMA_VERSION, encode
from game_world.store import key
from testbed.waiting import wait_until

from tests.local.chronicle import Chronicle
from tests.local.game import Game


def begin(game: Game, names: Sequence[str]) -> Producer:
    """Write a sword for each player into a partition of its own, in a transaction that stays open."""
    producer = Producer({"bootstrap.servers": game.settings.bootstrap_servers, "transactional.id": names[0]})
    producer.init_transactions(60)
    producer.begin_transaction()
    # Players whose last free action is a day old are forgotten.
    now = round(time.time() * 1000)
    for number, name in enumerate(names):
        event = {"event_type": "purchase_sword", "event_id": name, "player": name, "received_at": now}
        event |= {"schema_version": SCHEMA_VERSION, "strength": 5, "description": "large sword"}
        producer.produce(game.settings.topic, encode(event), name.encode(), number % game.settings.partitions)
    assert producer.flush(60) == 0
    return producer


def has_sword(chronicle: Chronicle, name: str) -> bool:
    return chronicle.store.redis.hget(key(f"hero:{name}"), "item:sword") == "1"


def decides(game: Game) -> bool:
    return game.ask("/explore", "POST", headers={"X-Player": "ada"}).status == 200


def is_logged(game: Game, line: str) -> bool:
    return line in game.world.log.read_text()


def lose(game: Game, chronicle: Chronicle) -> None:
    """Empty the store, and let it be rebuilt from the topic alone."""
    for snapshot in (game.settings.data / "world").iterdir():
        snapshot.unlink(missing_ok=True)
    chronicle.store.redis.flushall()


def test_a_transaction_may_be_the_last(game: Game, chronicle: Chronicle) -> None:
    """If committed transactions end the partitions, an emptied store gets the world again, and decides."""
    names = ["cid", "dan", "eve"]
    begin(game, names).commit_transaction(60)
    wait_until("the swords", lambda: all(has_sword(chronicle, name) for name in names))
    chronicle.await_calm()
    lose(game, chronicle)
    wait_until("the world", chronicle.store.is_caught_up)
    chronicle.await_calm()
    assert all(has_sword(chronicle, name) for name in names)
    wait_until("decisions", lambda: decides(game))


def test_an_aborted_transaction_has_no_effect(game: Game, chronicle: Chronicle) -> None:
    """If aborted transactions end the partitions, the world is as before, and an emptied store gets it again."""
    names = ["fay", "gil", "hal"]
    begin(game, names).abort_transaction(60)
    chronicle.await_calm()
    lose(game, chronicle)
    wait_until("the world", chronicle.store.is_caught_up)
    chronicle.await_calm()
    assert not any(has_sword(chronicle, name) for name in names)
    wait_until("decisions", lambda: decides(game))
    assert chronicle.stored() == chronicle.summed()


def test_an_open_transaction_is_logged(game: Game, chronicle: Chronicle) -> None:
    """A world that waits for a transaction logs which one, and continues when it has ended."""
    open_ = begin(game, ["ida"])
    wait_until("the log line", lambda: is_logged(game, "waiting for an open transaction: partition 0 from offset"))
    lose(game, chronicle)
    game.world.kill()
    game.world.start()
    wait_until("the others", lambda: has_sword(chronicle, "cid"))
    assert not chronicle.store.is_caught_up()
    open_.commit_transaction(60)
    wait_until("the world", chronicle.store.is_caught_up)
    chronicle.await_calm()
    assert has_sword(chronicle, "ida")
