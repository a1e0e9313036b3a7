"""The problems that `/v1/…` reports (RFC 9457): the one table of their types, with what each means."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from game_world.refusals import Reason

from game_api.v1.paths import PROBLEMS as PROBLEMS_PATH

MEDIA_TYPE = "application/problem+json"


class Problem(NamedTuple):
    """A type of problem: `status` is the usual one, `title` the same for every occurrence."""

    status: int
    title: str


PROBLEMS: Mapping[str, Problem] = {
    "invalid-request": Problem(400, "A header, a parameter or the body is invalid"),
    "key-required": Problem(400, "An action that changes the world needs an Idempotency-Key"),
    "invalid-event": Problem(400, "The event is invalid"),
    "no-valid-event": Problem(400, "No event of the request is valid"),
    "malformed-request": Problem(400, "The request is no valid HTTP"),
    "unauthorized": Problem(401, "A credential is missing, or not accepted"),
    "forbidden": Problem(403, "The caller may not do this"),
    "speculative-request": Problem(403, "A prefetch or a link preview has no effect"),
    "not-found": Problem(404, "There is nothing at this path"),
    "method-not-allowed": Problem(405, "The path does not support this method"),
    "request-timeout": Problem(408, "The client sent its request too slowly"),
    Reason.KEY_REUSED: Problem(409, "The Idempotency-Key was used for another request"),
    Reason.KEY_EXPIRED: Problem(409, "The request has happened, and its response is no longer cached"),
    Reason.YOURSELF: Problem(409, "The target is the player"),
    Reason.DEAD: Problem(409, "The player is dead"),
    Reason.TIRED: Problem(409, "The player has too little stamina"),
    Reason.POOR: Problem(409, "The player has too little gold"),
    Reason.NO_ITEM: Problem(409, "The player does not have the item, or too few of it"),
    Reason.NOT_BOUGHT: Problem(409, "The trader does not buy the item"),
    Reason.TOO_MUCH: Problem(409, "The amount is too large"),
    Reason.NOT_ENOUGH: Problem(409, "Too little of what the action requires"),
    Reason.TARGET_UNKNOWN: Problem(409, "The target is no player"),
    Reason.TARGET_DEAD: Problem(409, "The target is dead"),
    Reason.TARGET_NO_ITEM: Problem(409, "The target does not have the item"),
    Reason.TARGET_ELSEWHERE: Problem(409, "The target is not in the player's guild"),
    Reason.NO_OFFER: Problem(409, "The target has offered no alliance"),
    Reason.NOT_ALLIED: Problem(409, "The target is no ally"),
    Reason.NO_GUILD: Problem(409, "The player is in no guild"),
    Reason.IN_GUILD: Problem(409, "The player is in a guild already"),
    Reason.GUILD_UNKNOWN: Problem(409, "The guild was not founded, or has no members any more"),
    Reason.GUILD_EXISTS: Problem(409, "There is a guild of this name already"),
    Reason.GUILD_POOR: Problem(409, "The guild has too little gold"),
    "body-too-large": Problem(413, "The body is too large, as sent or decompressed"),
    "unsupported-media-type": Problem(415, "The body's type or encoding is not supported"),
    "too-many-requests": Problem(429, "Too many requests of this player, address or key"),
    "internal-error": Problem(500, "The request failed"),
    "not-written": Problem(503, "The event was not written"),
    "outcome-unknown": Problem(503, "The event may have been written"),
    "no-event-acknowledged": Problem(503, "No event of the request was acknowledged"),
    "world-unavailable": Problem(503, "The world cannot decide for now"),
    "keys-unavailable": Problem(503, "The keys of the identity provider are not known yet"),
    "busy": Problem(503, "Too many requests at once"),
}
"""The types of problems by their names. A name, once released, keeps its meaning."""


def type_of(kind: str) -> str:
    """Return the `type` of this kind of problem: a path, at which the service explains it."""
    return f"{PROBLEMS_PATH}/{kind}"


def problem(kind: str, status: int, detail: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the problem details object of this type; `members` are those beyond RFC 9457's own."""
    return {"type": type_of(kind), "title": PROBLEMS[kind].title, "status": status, "detail": detail, **members}
