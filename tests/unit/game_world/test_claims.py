"""Claims of names in the store."""

import asyncio
from pathlib import Path

import pytest
from game_world.claims import FIRST_SECONDS, Claims
from game_world.limits import Limit
from game_world.store import Store, key
from game_world.world import LimitedError, World, WorldUnavailableError

from tests.unit.game_api.client import run
from tests.unit.game_world.topic import Topic

YEAR = 365 * 86400
HERE = "192.0.2.1"


class Calls:
    """Claims, whose methods return when they are done."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def claim(self, player: str, address: str) -> int | None:
        return run(self._claims.claim(player, address))

    def confirm(self, player: str, claimed_at: int, seconds: int) -> bool:
        return run(self._claims.confirm(player, claimed_at, seconds))


def made(store: Store, per_hour: int = 0) -> Claims:
    return Claims(World(store, Limit(0, 0), Limit(0, 0)), per_hour)


def claims_of(store: Store, per_hour: int = 0) -> Calls:
    return Calls(made(store, per_hour))


def test_the_first_claim_of_a_name_wins(store: Store) -> None:
    """Of many who claim a name at once exactly one gets it, and nobody gets it later."""
    all_claims = [made(store) for _ in range(4)]

    async def claim_often() -> list[int | None]:
        return await asyncio.gather(*[all_claims[number % 4].claim("ada", HERE) for number in range(80)])

    won = [at for at in run(claim_often()) if at]
    assert len(won) == 1
    assert abs(won[0] / 1000 - store.now()) < 60
    claims = claims_of(store)
    assert claims.claim("ada", HERE) is None
    assert claims.claim("bob", HERE) is not None


def test_a_claim_is_kept_once_it_is_confirmed(store: Store) -> None:
    """A name that was used once is free again after a day, one that was used again after a year."""
    claims = claims_of(store)
    claimed_at = claims.claim("ada", HERE)
    assert claimed_at
    assert FIRST_SECONDS - 60 < store.redis.ttl(key("claim:ada")) <= FIRST_SECONDS
    assert claims.confirm("ada", claimed_at, YEAR)
    assert YEAR - 60 < store.redis.ttl(key("claim:ada")) <= YEAR
    assert claims.claim("ada", HERE) is None


def test_the_earliest_claim_holds(store: Store) -> None:
    """A lost claim is made again by the token that states it, and a later one gives way."""
    claims = claims_of(store)
    claimed_at = claims.claim("ada", HERE)
    assert claimed_at
    assert claims.confirm("ada", claimed_at - 5, YEAR)
    assert not claims.confirm("ada", claimed_at, YEAR)
    assert claims.confirm("ada", -5, YEAR)
    store.redis.flushall()
    assert claims.confirm("ada", claimed_at, YEAR)
    assert claims.claim("ada", HERE) is None


def test_an_address_claims_few_names(store: Store) -> None:
    """An address claims so many names in an hour, another one is not affected, and taken names cost as well."""
    claims = claims_of(store, 3)
    assert all(claims.claim(name, HERE) for name in ("a", "b"))
    assert claims.claim("a", HERE) is None
    with pytest.raises(LimitedError) as caught:
        claims.claim("d", HERE)
    assert caught.value.field == "address"
    assert 1000 < caught.value.seconds <= 1200
    assert claims.claim("d", "192.0.2.2")


def test_a_full_world_takes_no_new_names(store: Store) -> None:
    """While memory is short nobody claims a name, and claims are confirmed all the same."""
    claims = claims_of(store)
    claimed_at = claims.claim("ada", HERE)
    assert claimed_at
    store.redis.set(key("full"), 1)
    with pytest.raises(WorldUnavailableError, match="full"):
        claims.claim("bob", HERE)
    store.redis.config_set("maxmemory", 1)
    assert claims.confirm("ada", claimed_at, YEAR)
    assert store.redis.ttl(key("claim:ada")) > FIRST_SECONDS


def test_without_the_store_tokens_are_enough(tmp_path: Path) -> None:
    """While the store is unavailable nobody claims a name; claims that a token states are believed."""
    claims = claims_of(Store(f"unix://{tmp_path}/none"))
    with pytest.raises(WorldUnavailableError):
        claims.claim("ada", HERE)
    assert claims.confirm("ada", 5, YEAR)


def test_a_new_world_keeps_claims(topic: Topic) -> None:
    """Claims are not a part of the world: a world that begins again leaves them."""
    claims = claims_of(topic.store)
    assert claims.claim("ada", HERE)
    assert topic.store.claim("another")
    assert claims.claim("ada", HERE) is None


def test_an_erased_player_has_no_claim(topic: Topic) -> None:
    """Erasing a player erases the claim of the name."""
    topic.do("explore", "ada")
    claims = claims_of(topic.store)
    assert claims.claim("ada", HERE)
    topic.store.forget("ada")
    assert not list(topic.store.redis.scan_iter("*ada*"))
