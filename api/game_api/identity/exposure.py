"""Whether a service that believes every name can be reached from other machines."""

from ipaddress import ip_address

from game_api.identity.settings import IdentitySettings


def warnings(settings: IdentitySettings, bind: str) -> list[str]:
    """Return what the log says at start about names that nobody proves."""
    public = [address for address in bind.split(",") if not _is_local(address.strip())]
    if not settings.is_open or not public:
        return []
    return [
        f"API_PLAYERS=open on {', '.join(public)}: EVERY CLIENT OF THIS ADDRESS CAN ACT AS ANY PLAYER",
        "set API_PLAYERS=claimed or API_PLAYERS=token (docs/security.md), or let only trusted clients reach it",
    ]


def _is_local(address: str) -> bool:
    """Tell whether gunicorn listens to this machine only."""
    if address.startswith(("unix:", "fd://")):
        return True
    host = address.removeprefix("tcp://")
    host = (host.rpartition(":")[0] or host).strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
