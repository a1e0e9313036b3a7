"""The application as gunicorn loads it."""

from game_world.claims import Claims
from game_world.limits import Limit
from game_world.store import Store
from game_world.world import World

from game_api import create_app
from game_api.identity.identity import Identity
from game_api.log.kafka_log import KafkaLog
from game_api.metrics import StoreWatcher
from game_api.settings import Settings


def _world(settings: Settings) -> World | None:
    if not settings.world_url:
        return None
    return World(
        Store(settings.world_url),
        Limit(settings.player_rate, settings.player_burst),
        Limit(settings.address_rate, settings.address_burst),
        StoreWatcher(),
    )


def _identity(settings: Settings, world: World | None) -> Identity:
    return Identity(settings.identity, Claims(world, settings.identity.claims_per_hour) if world else None)


_settings = Settings.from_environment()
_the_world = _world(_settings)
app = create_app(
    KafkaLog(_settings),
    _the_world,
    trino=_settings.trino,
    cors_origins=_settings.allowed_origins,
    threads=_settings.threads,
    most_requests=_settings.most_requests,
    identity=_identity(_settings, _the_world),
)
