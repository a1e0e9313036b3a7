"""The stack as plain processes on one machine: real servers, all on loopback."""

import os


def _reach_loopback_without_a_proxy() -> None:
    """Have no client here, and none that is started from here, ask a proxy for this machine's servers."""
    named = next((os.environ[name] for name in ("no_proxy", "NO_PROXY") if os.environ.get(name)), "")
    hosts = [host.strip() for host in named.split(",") if host.strip()]
    hosts += [host for host in ("127.0.0.1", "localhost") if host not in hosts]
    # Some clients read the one, some the other.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(hosts)


_reach_loopback_without_a_proxy()
