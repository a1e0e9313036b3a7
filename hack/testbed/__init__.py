"""The testbed: gamelake on one machine or in a kind cluster, with simulated players, audits and measurements."""

import os

from testbed.settings import HOST


def _exempt_loopback_from_proxies() -> None:
    """Keep this process and its children from asking a proxy for servers on this machine."""
    named = next((os.environ[name] for name in ("no_proxy", "NO_PROXY") if os.environ.get(name)), "")
    hosts = [host.strip() for host in named.split(",") if host.strip()]
    hosts += [host for host in (HOST, "localhost") if host not in hosts]
    # Some clients read the lower-case name, others the upper-case one.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(hosts)


_exempt_loopback_from_proxies()
