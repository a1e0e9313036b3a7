"""The world: it applies the rules, survives failures, and always holds what the events add up to."""

import gzip
import os
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions
from game_api.log.event_log import Outcome
from game_events.event_ids import uuid7s
from game_events.names import normal
from game_world.store import key
from redis import Redis
from testbed.settings import Ports
from testbed.simulator.players import Players
from testbed.stack.process import Process
from testbed.waiting import wait_until

from tests.local.chronicle import Chronicle
from tests.local.game import Answer, Game, frozen

_numbers = count(1)


@pytest.fixture
def player() -> str:
    """A new player."""
    return f"hero{next(_numbers)}"


def do(game: Game, player: str, request: str, **headers: str) -> Answer:
    return game.ask(request, "POST", headers={"X-Player": player, **headers})


def met(game: Game, *players: str) -> None:
    """Make the players known to others."""
    for player in players:
        assert do(game, player, "/").status == 200


def _sword(player: str, event_id: str, hours: int, is_marked: bool) -> dict[str, Any]:
    event = {"event_id": event_id, "event_type": "purchase_sword", "player": player}
    event |= {"received_at": 1_700_000_000_000 + hours * 3_600_000, "strength": 1}
    return event | ({"idempotent": True} if is_marked else {})


def hero(chronicle: Chronicle, player: str) -> dict[str, int]:
    """The numbers that the store holds of a player."""
    found = chronicle.store.redis.hgetall(key(f"hero:{player}"))
    return {name: int(value) for name, value in found.items() if value.lstrip("-").isdecimal()}


def test_a_purchase_is_paid_once(game: Game, chronicle: Chronicle, player: str) -> None:
    """A bow costs its price and is in the inventory. A purchase that cannot be paid is refused and writes no event."""
    assert do(game, player, "/purchase_a_bow").status == 200
    before = hero(chronicle, player)
    assert (before["gold"], before["item:bow"]) == (85, 1)
    ends = game.ends()
    refused = do(game, player, "/purchase_a_castle")
    assert (refused.status, refused.json) == (
        409,
        {"error": "You have 85 gold, and a castle costs 500", "field": "gold"},
    )
    assert hero(chronicle, player) == before
    assert game.ends() == ends


def test_the_dead_do_nothing_and_are_left_alone(game: Game, chronicle: Chronicle, player: str) -> None:
    """A dead player can neither act nor be fought, until they pray."""
    met(game, player, "grave")
    duel = {"event_type": "duel", "event_id": f"death by {player}", "player": player, "target": "grave", "won": True}
    game.write(duel | {"target_health": -100})
    wait_until("the death", lambda: hero(chronicle, "grave")["health"] == 0)
    assert do(game, player, "/duel?target=grave").json == {"error": "grave is dead", "field": "target"}
    assert do(game, "grave", "/explore").json["field"] == "health"
    assert do(game, "grave", "/pray").status == 200
    assert hero(chronicle, "grave")["health"] == 20


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ("/leave_the_guild", "guild"),
        ("/donate_gold?amount=5", "guild"),
        ("/promote_a_member?target=somebody", "guild"),
        ("/duel?target=nobody-at-all", "target"),
        ("/betray_an_ally?target=somebody", "target"),
        ("/pay_tribute?target=somebody&amount=101", "gold"),
        ("/throw_dice?amount=101", "gold"),
        ("/raid?target=somebody", "item"),
        ("/slay_a_dragon", "item"),
        ("/cast_a_fireball?target=somebody", "item"),
        ("/forge_armor", "item"),
        ("/sell_an_item?item=moon", "item"),
        ("/give_an_item?target=somebody&item=moon", "item"),
    ],
)
def test_what_the_rules_forbid(game: Game, player: str, request_: str, field: str) -> None:
    """A request that the rules forbid is a 409 that names the cause, and writes nothing."""
    met(game, player, "somebody")
    ends = game.ends()
    answer = do(game, player, request_)
    assert (answer.status, answer.json["field"]) == (409, field), answer.text
    assert game.ends() == ends


def test_nobody_fights_themselves(game: Game, player: str) -> None:
    """Players cannot be their own target."""
    met(game, player)
    assert do(game, player, f"/duel?target={player}").json == {"error": "That is yourself", "field": "target"}


def test_guilds(game: Game, chronicle: Chronicle, player: str) -> None:
    """A guild is founded once, joined, given to, and left."""
    guild, other = f"guild of {player}", f"friend of {player}"
    assert do(game, player, f"/found_a_guild?guild={guild}").status == 200
    assert do(game, other, f"/found_a_guild?guild={guild}").json["field"] == "guild"
    assert do(game, other, f"/join_a_guild?guild={guild}").status == 200
    assert do(game, player, f"/promote_a_member?target={other}").json["field"] == "guild"
    assert do(game, player, "/donate_gold?amount=30").status == 200
    assert do(game, player, f"/promote_a_member?target={other}").json["answer"] == f"You promoted {other} in {guild}."
    assert chronicle.store.redis.hgetall(key(f"guild:{guild}")) == {"gold": "20"}
    assert chronicle.store.redis.smembers(key(f"members:{guild}")) == {player, other}
    left = do(game, player, "/leave_the_guild")
    assert left.json["answer"] == f"You left {guild}."
    _, event = game.record(left.json["partition"], left.json["offset"])
    assert event["guild"] == guild
    assert do(game, player, "/leave_the_guild").status == 409
    assert chronicle.store.redis.smembers(key(f"members:{guild}")) == {other}


def test_a_contest_moves_what_the_event_says(game: Game, chronicle: Chronicle, player: str) -> None:
    """The event of a duel states what it changed for both players, and the store agrees."""
    rival = f"rival of {player}"
    met(game, player, rival)
    answer = do(game, player, f"/duel?target={rival}")
    _, event = game.record(answer.json["partition"], answer.json["offset"])
    mine, theirs = hero(chronicle, player), hero(chronicle, rival)
    assert mine["gold"] == 100 + event.get("gold", 0)
    assert theirs["gold"] == 100 + event.get("target_gold", 0)
    assert mine["health"] == 100 + event.get("health", 0)
    assert theirs["health"] == 100 + event.get("target_health", 0)
    assert event["won"] is (event.get("gold") == 10)


def test_clicks_at_once_cannot_spend_twice(game: Game, chronicle: Chronicle, player: str) -> None:
    """If the gold pays for two of forty purchases at once, over all workers, two are events."""
    met(game, player)
    answers = game.ask_at_once("/purchase_a_horse", 40, method="POST", headers={"X-Player": player})
    assert Counter(answer.status for answer in answers) == {200: 2, 409: 38}
    assert hero(chronicle, player)["gold"] == 20
    chronicle.await_calm()
    assert sum(event["event_type"] == "purchase_horse" and event["player"] == player for event in game.events()) == 2


def test_a_retried_request_is_done_once(game: Game, chronicle: Chronicle, player: str) -> None:
    """Under one Idempotency-Key, at once or later, a request has one outcome and one effect."""
    met(game, player)
    headers = {"X-Player": player, "Idempotency-Key": f"key of {player}"}
    answers = game.ask_at_once("/explore", 10, method="POST", headers=headers)
    answers.append(game.ask("/explore", "POST", headers=headers))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["answer"] for answer in answers}) == 1
    chronicle.await_calm()
    answers.append(game.ask("/explore", "POST", headers=headers))
    assert len({answer.json["answer"] for answer in answers}) == 1
    assert chronicle.summed()[f"hero:{player}"] == chronicle.stored()[f"hero:{player}"]
    assert hero(chronicle, player)["experience"] == 8


def test_a_key_is_for_one_request(game: Game, player: str) -> None:
    """A request under a key that was used with other parameters is refused, and does nothing."""
    met(game, "friend")
    headers = {"Idempotency-Key": f"key of {player}"}
    assert do(game, player, "/pay_tribute?target=friend&amount=1", **headers).status == 200
    ends = game.ends()
    other = do(game, player, "/pay_tribute?target=friend&amount=90", **headers)
    assert (other.status, other.json["field"]) == (409, "Idempotency-Key")
    assert game.ends() == ends


def test_a_key_stays_used(game: Game, chronicle: Chronicle, player: str) -> None:
    """A request whose response is no longer cached still does not happen twice."""
    headers = {"Idempotency-Key": f"key of {player}"}
    assert do(game, player, "/explore", **headers).status == 200
    chronicle.await_calm()
    before, ends = hero(chronicle, player), game.ends()
    assert chronicle.store.drop_responses()
    later = do(game, player, "/explore", **headers)
    assert (later.status, later.json["field"]) == (409, "Idempotency-Key")
    assert (hero(chronicle, player), game.ends()) == (before, ends)


def test_players_may_use_the_same_keys(game: Game, chronicle: Chronicle, player: str) -> None:
    """Requests of many players at the same time under the same key are separate events."""
    names = [f"{player} {number}" for number in range(20)]
    with ThreadPoolExecutor(len(names)) as pool:
        for number in range(20):
            headers = {"Idempotency-Key": f"{player} {number}"}
            answers = pool.map(lambda name, headers=headers: do(game, name, "/purchase_a_sword", **headers), names)
            assert {answer.status for answer in answers} == {200}
    chronicle.await_calm()
    assert chronicle.stored() == chronicle.summed()
    assert all(hero(chronicle, name)["item:sword"] == 20 for name in names)


def test_an_unconfirmed_request_is_not_refused(game: Game, chronicle: Chronicle, player: str) -> None:
    """While the outcome of a request is unknown, that of a retry is, too; in the end both have the same outcome."""
    met(game, player)
    headers = {"Idempotency-Key": f"key of {player}"}
    with frozen(game.kafka):
        tries = [do(game, player, "/throw_dice?amount=10", **headers)]
        # The worker that has waited without success refuses at once.
        tries += game.ask_at_once("/throw_dice?amount=10", 6, method="POST", headers={"X-Player": player, **headers})
    assert {(one.status, one.headers["Event-Outcome"]) for one in tries} == {(503, "unknown")}
    gold = hero(chronicle, player)["gold"]
    wait_until("Kafka", lambda: do(game, player, "/throw_dice?amount=10", **headers).status == 200)
    game.await_workers(200)
    chronicle.await_calm()
    assert hero(chronicle, player)["gold"] == gold != 100
    assert chronicle.stored() == chronicle.summed()


def test_a_retry_without_a_key_is_done_once(game: Game, chronicle: Chronicle, player: str) -> None:
    """An event with an unknown outcome and no key is retried under its id: one outcome and one effect for each API."""
    met(game, player)
    swords = [{"event_type": "purchase_axe", "strength": 3}]
    with frozen(game.kafka), ThreadPoolExecutor(3) as pool:
        decided = pool.submit(do, game, player, "/explore")
        free = pool.submit(do, game, player, "/purchase_a_sword")
        bulk = pool.submit(game.ask, "/events", "POST", json=swords, headers={"X-Player": player})
        unknown = [decided.result().json, free.result().json, bulk.result().json["results"][0]]
    assert {one["outcome"] for one in unknown} == {"unknown"}
    explored, sword, axe = (one["event_id"] for one in unknown)
    game.await_workers(200)
    for _ in range(3):
        assert do(game, player, "/explore", **{"Idempotency-Key": explored}).status == 200
        assert do(game, player, "/purchase_a_sword", **{"Idempotency-Key": sword}).status == 200
        items = [{**swords[0], "event_id": axe}]
        assert game.ask("/events", "POST", json=items, headers={"X-Player": player}).status == 200
    chronicle.await_calm()
    had = hero(chronicle, player)
    assert (had["experience"], had["item:sword"], had["item:axe"]) == (8, 1, 1)
    assert chronicle.stored() == chronicle.summed()


@pytest.mark.parametrize("marks", [(False, True), (True, False), (True,), (True, True), (False, True, True)])
def test_whichever_attempt_is_written(game: Game, chronicle: Chronicle, player: str, marks: tuple[bool, ...]) -> None:
    """An event without a key has one effect, whichever of its attempts were written and in which order."""
    met(game, player)
    [event_id] = uuid7s(int(time.time() * 1000), 1)
    game.write(*(_sword(player, event_id, 0, is_marked) for is_marked in marks))
    chronicle.await_calm()
    assert hero(chronicle, player)["item:sword"] == 1
    assert chronicle.stored() == chronicle.summed()


def test_a_key_counts_again_after_a_day(game: Game, chronicle: Chronicle, player: str) -> None:
    """A key counts once a day by received_at: in the world, in a rebuilt world and in the views."""
    hours = {
        "a": [0, 1, 23, 25, 49],
        "b": [0, 25],
        "c": [0, 24],
        "d": [0, 25, 26, 51],
        "e": [0, 23, 46, 69, 100],
    }
    met(game, player)
    for name, times in hours.items():
        game.write(*(_sword(player, f"{player} {name}", hour, True) for hour in times))
    chronicle.await_calm()
    assert hero(chronicle, player)["item:sword"] == 1 + 2 + 1 + 3 + 2
    assert chronicle.stored() == chronicle.summed()
    live = chronicle.stored()
    game.world.stop()
    chronicle.store.redis.flushall()
    game.world.start()
    chronicle.await_calm()
    assert chronicle.stored() == live


def test_nothing_is_decided_while_kafka_is_unavailable(game: Game, chronicle: Chronicle, player: str) -> None:
    """A request that cannot be written changes nothing in the world, not even for a moment."""
    met(game, player)
    # The projection calls scripts, too. Each worker notices by itself, so there is only one.
    with game.another_api(WEB_CONCURRENCY="1"), frozen(game.kafka), frozen(game.world):
        wait_until("the API to notice", lambda: game.ask("/readyz", is_admin=True).status == 503)
        before = chronicle.store.redis.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)
        answers = game.ask_at_once("/purchase_a_bow", 20, method="POST", headers={"X-Player": player})
        assert {(one.status, one.headers["Event-Outcome"]) for one in answers} == {(503, "refused")}
        after = chronicle.store.redis.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)
    assert after == before
    game.await_workers(200)
    assert hero(chronicle, player)["gold"] == 100


def test_a_debt_is_not_forgiven(game: Game, chronicle: Chronicle, player: str) -> None:
    """A player who has spent gold that was reverted afterwards still owes it when they earn something."""
    met(game, player)
    game.write(
        {"event_type": "donate_gold", "event_id": f"debt of {player}", "player": player, "amount": 9, "gold": -500}
    )
    wait_until("the debt", lambda: hero(chronicle, player)["gold"] == -400)
    answer = do(game, player, "/explore")
    _, event = game.record(answer.json["partition"], answer.json["offset"])
    found = event.get("gold", 0)
    assert found <= 30
    assert hero(chronicle, player)["gold"] == -400 + found


@pytest.mark.parametrize("address", ["203.0.113.9:51234", "::ffff:203.0.113.9", "nonsense:"])
def test_any_spelling_of_an_address(game: Game, address: str) -> None:
    """Requests are served whether the address has a port, is a mapped one, or is no address."""
    with game.another_api(API_TRUSTED_PROXIES="1"):
        assert do(game, "traveller", "/", **{"X-Forwarded-For": address}).status == 200


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "'; DROP TABLE events; --", "Ünï 🗡️ çödé", "x" * 255])
def test_names_are_just_names(game: Game, chronicle: Chronicle, name: str) -> None:
    """Markup, SQL, other alphabets and the longest name are names like any other."""
    answer = do(game, name.encode().decode("latin-1"), "/explore")
    assert answer.status == 200, answer.text
    assert hero(chronicle, normal(name))["experience"] == 8
    met(game, "friend")
    assert (
        game.ask("/pay_tribute", "POST", headers={"X-Player": "friend"}, params={"target": name, "amount": 1}).status
        == 200
    )


def test_a_name_is_one_however_it_is_written(game: Game, chronicle: Chronicle, player: str) -> None:
    """Players and guilds are known by any spelling, also by other writers', and are shown as first given."""
    given, guild = f"Sir {player.upper()}", f"The Knights of {player.upper()}"
    assert do(game, given, f"/found_a_guild?guild={guild}").json["answer"] == f"You founded {guild}."
    other = f"friend of {player}"
    refused = do(game, other, f"/found_a_guild?guild={guild.lower()}")
    assert (refused.status, refused.json["field"]) == (409, "guild")
    assert do(game, other, f"/join_a_guild?guild={guild.upper()}").status == 200
    assert do(game, other, "/donate_gold?amount=10").status == 200
    assert do(game, given.lower(), f"/promote_a_member?target={other.upper()}").status == 200
    sword = _sword(given.upper(), f"sword of {player}", 0, False)
    game.write(sword)
    chronicle.await_calm()
    for name in (given, given.lower(), given.upper()):
        seen = game.ask(f"/heroes/{name}").json
        assert (seen["player"], seen["items"]) == (given, {"sword": 1})
    assert game.ask(f"/heroes/{given}").json["guild"] in (guild, guild.upper())
    left = do(game, given, "/leave_the_guild").json["answer"]
    assert left.casefold() == f"You left {guild}.".casefold() != left
    assert f"{given}: You founded {guild}." in [told["text"] for told in game.ask("/world").json["feed"]]
    assert chronicle.stored() == chronicle.summed()


def test_a_tie_is_to_one_player(game: Game, chronicle: Chronicle, player: str) -> None:
    """Ties to players with similar names are kept apart, whatever characters the names have."""
    for target, request in (
        (player, "declare_a_war"),
        (f"{player}@", "declare_peace"),
        (f"@{player}", "declare_a_war"),
    ):
        assert do(game, "herald", f"/{request}?target={target}").status == 200
    chronicle.await_calm()
    assert chronicle.stored()["hero:herald"] == chronicle.summed()["hero:herald"]
    ties = chronicle.store.redis.hmget(key("hero:herald"), f"tie:{player}", f"tie:{player}@", f"tie:@{player}")
    assert ties == ["war", "peace", "war"]


def test_a_huge_name_is_refused(game: Game) -> None:
    """A name longer than the contract allows is a 400 that names the header."""
    assert do(game, "x" * 256, "/explore").json["field"] == "X-Player"
    assert do(game, "friend", "/duel?target=" + "x" * 256).json["field"] == "target"


def limited(answers: Sequence[int]) -> bool:
    """Whether the burst passed and most of the rest did not: on a slow machine the bucket refills meanwhile."""
    counts = Counter(answers)
    return counts.keys() == {200, 429} and 5 <= counts[200] < len(answers) / 2


def test_a_fast_player_is_limited(game: Game) -> None:
    """Beyond the burst a player gets 429 for any request, with the time to wait; other players do not."""
    with game.another_api(API_PLAYER_RATE="1", API_PLAYER_BURST="5"):
        answers = game.ask_at_once("/", 60, headers={"X-Player": "hasty"})
        assert limited([answer.status for answer in answers])
        refused = next(answer for answer in answers if answer.status == 429)
        assert refused.json == {"error": "too many requests of this player", "field": "player"}
        assert 1 <= int(refused.headers["Retry-After"]) <= 2
        assert do(game, "patient", "/").status == 200


def test_an_address_is_limited(game: Game) -> None:
    """An address is limited for any number of players or events; a trusted proxy tells addresses apart."""

    def ask(number: int) -> int:
        return do(game, f"one of {number}", "/", **{"X-Forwarded-For": "192.0.2.1"}).status

    with (
        game.another_api(API_ADDRESS_RATE="1", API_ADDRESS_BURST="5", API_TRUSTED_PROXIES="1"),
        ThreadPoolExecutor(30) as pool,
    ):
        assert limited(list(pool.map(ask, range(60))))
        assert do(game, "another", "/", **{"X-Forwarded-For": "192.0.2.2"}).status == 200
        networked = pool.map(lambda n: do(game, "x", "/", **{"X-Forwarded-For": f"2001:db8::{n}"}).status, range(60))
        assert limited(list(networked))
        ported = pool.map(
            lambda n: do(game, "x", "/", **{"X-Forwarded-For": f"192.0.2.4:{50000 + n}"}).status, range(60)
        )
        assert limited(list(ported))
        # Ten at a time take the whole burst and owe as many again.
        bulk = Counter(pool.map(lambda _: _bulk(game, **{"X-Forwarded-For": "192.0.2.3"}), range(60)))
        assert bulk.keys() == {200, 429}
        assert bulk[200] < 5


def test_a_refused_address_empties_no_other_bucket(game: Game) -> None:
    """A request that is refused for its address takes no token of the player that it names."""

    def ask(_: int) -> int:
        return do(game, "victim", "/", **{"X-Forwarded-For": "192.0.2.5"}).status

    limits = {"API_ADDRESS_RATE": "1", "API_ADDRESS_BURST": "3", "API_PLAYER_RATE": "1", "API_PLAYER_BURST": "20"}
    with game.another_api(API_TRUSTED_PROXIES="1", **limits), ThreadPoolExecutor(30) as pool:
        assert Counter(pool.map(ask, range(100)))[429] > 60
        assert do(game, "victim", "/", **{"X-Forwarded-For": "192.0.2.6"}).status == 200


def test_the_world_is_what_its_events_add_up_to(game: Game, chronicle: Chronicle) -> None:
    """After thousands of actions of all types by two APIs at once, the store equals the topic exactly."""
    program = game.api.program
    free = Ports.free()
    binds = {"API_BIND": f"127.0.0.1:{free.api}", "API_ADMIN_BIND": f"127.0.0.1:{free.api_admin}"}
    other = Process(replace(program, name="api2", environment={**program.environment, **binds}), game.settings)
    settings = replace(game.settings, ports=replace(game.settings.ports, api=free.api))
    other.start()
    try:
        wait_until("the other API", lambda: _answers(f"http://127.0.0.1:{free.api_admin}/readyz"))
        with (
            Players(game.settings, players=24, rate=150, seconds=12, seed=5) as one,
            Players(settings, players=24, rate=150, seconds=12, seed=6) as two,
        ):
            one.over(60)
            two.over(60)
        assert one.tally.events[Outcome.ACKED] + two.tally.events[Outcome.ACKED] > 1000
    finally:
        other.stop()
    chronicle.await_calm()
    assert len({event["event_type"] for event in game.events()}) > 30
    assert chronicle.stored() == chronicle.summed()


def test_the_world_is_exact_after_failures(game: Game, chronicle: Chronicle) -> None:
    """After store, projection and Kafka were killed, and the store lost its data, the world equals the topic."""
    with Players(game.settings, players=24, rate=60, seed=7) as players:
        for server in (game.store, game.world, game.kafka, game.store):
            seen = players.tally.events[Outcome.ACKED]
            wait_until("events", lambda seen=seen: players.tally.events[Outcome.ACKED] > seen + 100)
            server.kill()
            server.start()
            wait_until("it to be ready", server.ready)
        chronicle.store.redis.flushall()
        seen = players.tally.events[Outcome.ACKED]
        wait_until("events", lambda: players.tally.events[Outcome.ACKED] > seen + 100)
    chronicle.await_calm()
    assert chronicle.stored() == chronicle.summed()


def test_without_the_store_the_first_seven_continue(game: Game, chronicle: Chronicle, player: str) -> None:
    """While the store is unavailable, actions without preconditions are written and applied later; others are a 503."""
    game.store.stop()
    try:
        assert do(game, player, "/purchase_a_sword").status == 200
        refused = do(game, player, "/explore")
        assert (refused.status, refused.headers["Event-Outcome"]) == (503, "refused")
    finally:
        game.store.start()
    wait_until("the store", game.store.ready)
    wait_until("the sword", lambda: hero(chronicle, player).get("item:sword") == 1)
    # Each worker tries the store again by itself, a second after a failure.
    wait_until(
        "the world",
        lambda: 503 not in {one.status for one in game.ask_at_once("/explore", 20, method="POST")},
        pause=1,
    )


def test_events_of_other_writers_are_applied(game: Game, chronicle: Chronicle, player: str) -> None:
    """An event of another writer that names no guild does not stop the projection."""
    event = {"event_type": "donate_gold", "event_id": f"{player} 1", "player": player}
    game.write(event | {"amount": 5, "gold": -5, "guild_gold": 5})
    wait_until("the gift", lambda: hero(chronicle, player).get("gold") == 95)
    chronicle.await_calm()


def test_a_topic_may_get_more_partitions(game: Game, chronicle: Chronicle, player: str) -> None:
    """Events in added partitions are applied like all others."""
    admin = AdminClient({"bootstrap.servers": game.settings.bootstrap_servers})
    admin.create_partitions([NewPartitions(game.settings.topic, 6)])[game.settings.topic].result(60)
    game.settings = replace(game.settings, partitions=6)
    with game.another_api():
        for number in range(12):
            assert do(game, f"{player} {number}", "/explore").status == 200
    assert len([end for end in game.ends().values() if end]) > 3
    chronicle.await_calm()
    assert chronicle.stored() == chronicle.summed()


def test_a_player_is_forgotten(game: Game, chronicle: Chronicle, player: str) -> None:
    """A forgotten player is in no list, tie or guild; the others are as before."""
    forgotten, other = f"{player} [the *bold*]", f"other of {player}"
    met(game, forgotten, other)
    for request in (f"/found_a_guild?guild=guild of {player}", f"/propose_an_alliance?target={other}", "/explore"):
        assert do(game, forgotten, request, **{"Idempotency-Key": "key"}).status == 200
    assert do(game, other, f"/declare_a_war?target={forgotten}").status == 200
    chronicle.await_calm()
    before = hero(chronicle, other)
    ran = subprocess.run(
        [*game.world.program.command, "--forget", forgotten],
        env={**os.environ, **game.world.program.environment},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "forgotten" in ran.stdout
    saved = [gzip.decompress(file.read_bytes()) for file in _snapshots(game)]
    assert saved
    assert not [text for text in saved if forgotten.encode() in text]
    assert hero(chronicle, other) == before
    redis = chronicle.store.redis
    kept = {str(key): _dump(redis, str(key)) for key in redis.scan_iter("*")}
    assert not [key for key, value in kept.items() if forgotten in key or forgotten in value]
    assert do(game, other, f"/duel?target={forgotten}").json["field"] == "target"


def test_a_lost_store_is_restored_beyond_the_topic(game: Game, chronicle: Chronicle, player: str) -> None:
    """When Kafka has dropped every record, an emptied store gets the same world from a snapshot, and goes on."""
    assert do(game, player, f"/found_a_guild?guild=guild of {player}").status == 200
    assert do(game, player, "/explore").status == 200
    chronicle.await_calm()
    seen = _snapshots(game)[-1:]
    wait_until("a snapshot", lambda: _snapshots(game)[-1:] != seen)
    before, topic = chronicle.stored(), game.settings.topic
    admin = AdminClient({"bootstrap.servers": game.settings.bootstrap_servers})
    dropped = [TopicPartition(topic, partition, end) for partition, end in game.ends().items()]
    for deleted in admin.delete_records(dropped).values():
        deleted.result(60)
    chronicle.store.redis.flushall()
    wait_until("the world", chronicle.store.is_caught_up)
    assert chronicle.stored() == before
    assert before[f"hero:{player}"]["guild"] == f"guild of {player}"
    assert do(game, player, "/explore").status == 200


def _snapshots(game: Game) -> list[Path]:
    """The world's snapshots, the oldest first."""
    return sorted((game.settings.data / "world").glob("world-*.json.gz"))


def _dump(redis: Redis, key: str) -> str:
    """Everything that a key holds, as text."""
    read = {
        "hash": redis.hgetall,
        "set": redis.smembers,
        "string": redis.get,
        "stream": redis.xrange,
        "none": lambda _: "",
    }
    kind = str(redis.type(key))
    return str(redis.zrange(key, 0, -1) if kind == "zset" else read[kind](key))


def _bulk(game: Game, **headers: str) -> int:
    items = [{"event_type": "default", "player": f"p{n}"} for n in range(10)]
    return requests.post(f"{game.url}/events", json=items, headers=headers, timeout=60).status_code


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False
