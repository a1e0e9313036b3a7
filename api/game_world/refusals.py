"""Why the world refuses an action: a name for each reason, which clients may rely on."""

from enum import StrEnum

from game_events.rules import STAMINA, Kind, Precondition, Who


class Reason(StrEnum):
    """What forbids an action."""

    KEY_REUSED = "key-reused"
    """The Idempotency-Key was used for another request."""
    KEY_EXPIRED = "key-expired"
    """The Idempotency-Key was used, and the response is no longer cached."""
    YOURSELF = "target-is-yourself"
    DEAD = "dead"
    TIRED = "not-enough-stamina"
    POOR = "not-enough-gold"
    NO_ITEM = "item-missing"
    NOT_BOUGHT = "item-not-bought"
    TOO_MUCH = "amount-too-large"
    NOT_ENOUGH = "not-enough"
    """Of an attribute that has no reason of its own."""
    TARGET_UNKNOWN = "target-unknown"
    TARGET_DEAD = "target-dead"
    TARGET_NO_ITEM = "target-item-missing"
    TARGET_ELSEWHERE = "target-in-another-guild"
    NO_OFFER = "no-offer"
    NOT_ALLIED = "not-allied"
    NO_GUILD = "in-no-guild"
    IN_GUILD = "in-a-guild"
    GUILD_UNKNOWN = "guild-unknown"
    GUILD_EXISTS = "guild-exists"
    GUILD_POOR = "guild-not-enough-gold"


_BY_KIND = {
    Kind.KNOWN: Reason.TARGET_UNKNOWN,
    Kind.IN_GUILD: Reason.NO_GUILD,
    Kind.NO_GUILD: Reason.IN_GUILD,
    Kind.SAME_GUILD: Reason.TARGET_ELSEWHERE,
    Kind.NEW_GUILD: Reason.GUILD_EXISTS,
    Kind.FOUNDED: Reason.GUILD_UNKNOWN,
    Kind.OFFERED: Reason.NO_OFFER,
    Kind.ALLIED: Reason.NOT_ALLIED,
    Kind.AT_MOST: Reason.TOO_MUCH,
    Kind.BOUGHT: Reason.NOT_BOUGHT,
}

_BY_ATTRIBUTE = {
    (Who.PLAYER, "health"): Reason.DEAD,
    (Who.PLAYER, STAMINA): Reason.TIRED,
    (Who.PLAYER, "gold"): Reason.POOR,
    (Who.PLAYER, "item"): Reason.NO_ITEM,
    (Who.TARGET, "health"): Reason.TARGET_DEAD,
    (Who.TARGET, "item"): Reason.TARGET_NO_ITEM,
    (Who.GUILD, "gold"): Reason.GUILD_POOR,
}


def reason_of(precondition: Precondition) -> Reason:
    """Return why an action is refused whose precondition is not met."""
    if precondition.kind is Kind.AT_LEAST:
        attribute = precondition.attribute.partition(":")[0]
        return _BY_ATTRIBUTE.get((precondition.who, attribute), Reason.NOT_ENOUGH)
    return _BY_KIND[precondition.kind]
