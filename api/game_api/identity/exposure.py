"""Whether a service that believes every name can be reached from other machines."""

from ipaddress import ip_address

from game_api.identity.settings import IdentitySettings


def warnings(settings: IdentitySettings, bind: str) -> list[str]:
    """Return what the log says at start about players who are whoever they say they are."""
    public = [address for address in bind.split(",") if not _is_local(address.strip())]
    if not settings.is_open or not public:
        return []
    return [
        f"API_PLAYERS=open on {', '.join(public)}: ANYONE WHO REACHES THIS ADDRESS CAN ACT AS ANY PLAYER, and write any "
        "unconditional event for any player",
        "set API_PLAYERS=claimed or API_PLAYERS=token (docs/security.md), or let only trusted clients reach the address",
    ]


def _is_local(address: str) -> bool:
    """Tell whether gunicorn listens to this machine only."""
    if address.startswith(("unix:", "fd://")):
        return True
    host = address.rpartition(":")[0].removeprefix("tcp://").strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
