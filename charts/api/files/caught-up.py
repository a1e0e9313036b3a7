"""Succeeds if the world has caught up with the topic."""

import os

from game_world.store import Store
from redis.exceptions import RedisError

try:
    if not Store(os.environ["WORLD_URL"]).is_caught_up():
        raise SystemExit("it is catching up with the topic")
except RedisError as error:
    raise SystemExit(f"the store: {error}") from error
print("the world has caught up with the topic")
