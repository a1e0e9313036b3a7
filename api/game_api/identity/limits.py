"""Rate limits of callers, beyond those of players and addresses: a lower one without a credential, one for each key."""

from game_world.limits import ANONYMOUS, Bucket, client

from game_api.identity.caller import Caller
from game_api.identity.settings import IdentitySettings


def buckets(settings: IdentitySettings, caller: Caller | None, address: str, cost: int) -> list[Bucket]:
    """Return the token buckets that a request takes from; `caller` is None without a valid credential."""
    if settings.is_open:
        return []
    if caller is None:
        name, rate, burst = (
            f"limit:address:{ANONYMOUS}:{client(address)}",
            settings.anonymous_rate,
            settings.anonymous_burst,
        )
    elif caller.key:
        name, rate, burst = f"limit:key:{caller.key}", settings.key_rate, settings.key_burst
    else:
        return []
    return [Bucket(name, 1_000_000 // rate, burst, cost)] if rate else []
