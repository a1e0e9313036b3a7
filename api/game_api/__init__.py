"""The game's HTTP service: each request becomes an event, and gets its response once Kafka has stored the event."""

from collections.abc import Collection
from random import Random, SystemRandom

from game_events import EVENT_TYPES
from game_trino.settings import TrinoSettings
from game_world.world import World

from game_api.bulk import PATH, Bulk
from game_api.callers import Callers
from game_api.door import Door, Route
from game_api.identity.identity import Identity
from game_api.identity.methods import methods
from game_api.log.event_log import EventLog
from game_api.operations import Health
from game_api.pages.site import THREADS, Site, operators_pages, players_pages
from game_api.rate_limits import RateLimits
from game_api.service import MOST_REQUESTS, Service
from game_api.single import Action
from game_api.v1.actions import ActionV1
from game_api.v1.flags import Flags
from game_api.v1.me import Me
from game_api.v1.receipts import Receipts
from game_api.v1.routes import routes as v1_routes
from game_api.v1.table_lookup import TableLookup


def create_app(
    log: EventLog,
    world: World | None = None,
    random: Random | None = None,
    trino: TrinoSettings | None = None,
    cors_origins: Collection[str] = (),
    threads: int = THREADS,
    most_requests: int = MOST_REQUESTS,
    identity: Identity | None = None,
) -> Service:
    """Create the application; `random` is the source of chance, `threads` is the number of those for each port's pages.

    Above `most_requests` at once, it refuses requests. By default every name is believed. Without a world, only the
    unconditional actions work.
    """
    trino = trino or TrinoSettings()
    # Unlike Random, SystemRandom does not draw the same numbers in every worker after a fork.
    random = random or SystemRandom()
    callers = Callers(identity or Identity.open())
    mode = callers.identity.mode
    limits = RateLimits(world, callers)
    health = Health(log)
    healthz = Route("healthz", ("GET", "HEAD"), health.alive)
    readyz = Route("readyz", ("GET", "HEAD"), health.ready)
    admin = Door({"/healthz": healthz, "/readyz": readyz}, Site(operators_pages(world, trino), threads))
    site = Site(players_pages(world, mode), threads)
    bulk = Bulk(log, world, callers, limits, random, cors_origins)
    routes = {
        "/healthz": healthz,
        PATH: Route("events", ("POST",), bulk),
        **v1_routes(
            lambda event_type: ActionV1(event_type, log, world, callers, random),
            bulk,
            Me(world, callers, limits, site),
            Flags(callers, limits),
            Receipts(world, callers, limits, TableLookup(trino, site, most=max(1, threads // 2))),
        ),
    }
    for event_type in EVENT_TYPES.values():
        # HEAD must not have an effect.
        routes[event_type.request] = Route(
            event_type.name, tuple(methods(event_type, mode)), Action(event_type, log, world, callers, random)
        )
    return Service(log, callers, limits, Door(routes, site), admin, cors_origins, most_requests)
