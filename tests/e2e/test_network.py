"""Network policies as the cluster enforces them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from testbed.cluster.cluster import RELEASE, Cluster
from testbed.cluster.deployment import CHART, VALUES
from testbed.waiting import wait_until

from tests.e2e.connections import check
from tests.e2e.installation import PATIENCE, SELECTORS, Installation
from tests.e2e.probes import STRANGER, Prober, strangers

_ASK = """\
exec 3<>/dev/tcp/127.0.0.1/9870
printf 'GET /webhdfs/v1/?op=LISTSTATUS%s HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' "$0" >&3
read -r _ status _ <&3
echo "$status"
"""

pytestmark = pytest.mark.timeout(3600)


def test_only_allowed_connections_succeed(installation: Installation, tmp_path: Path) -> None:
    """Every pod reaches the ports that policies name for it, and no other; nor does a pod of another namespace."""
    check(installation, tmp_path)


def test_a_driver_reaches_the_kubernetes_api_alone(installation: Installation) -> None:
    """With the API's networks in the values a driver finds its port closed everywhere else, the internet included."""
    cluster = installation.cluster
    api = Cluster(replace(cluster.settings, namespace="default")).api
    service, endpoints = (api.get(kind, "kubernetes") for kind in ("Service", "Endpoints"))
    assert service
    assert endpoints
    [subset] = endpoints["subsets"]
    address, port = subset["addresses"][0]["ip"], subset["ports"][0]["port"]
    networks = [f"{service['spec']['clusterIP']}/32", f"{address}/32"]
    revision = installation.revision()
    with strangers(cluster) as outside:
        [stranger] = [pod for pod in outside.api.find("Pod") if pod["metadata"]["name"] == STRANGER]
        places = {f"{address}/{port}", f"{stranger['status']['podIP']}/{port}"}
        installation.pod("driver")
        driver = Prober(cluster, cluster.api.find("Pod", SELECTORS["driver"])[0])
        wait_until("a driver that reaches both", lambda: driver.reached([*places]) == places, PATIENCE, pause=2)
        try:
            narrowed = f"global.networkPolicy.apiServerCidrs={json.dumps(networks)}"
            cluster.helm("upgrade", RELEASE, CHART, *VALUES, "--set-json", narrowed)
            only = {f"{address}/{port}"}
            wait_until("a driver that reaches the API", lambda: driver.reached([*places]) == only, PATIENCE, pause=2)
        finally:
            cluster.helm("rollback", RELEASE, revision)


def test_webhdfs_accepts_no_user(installation: Installation) -> None:
    """Hadoop cannot turn WebHDFS off, but it believes no name in an address, not even within the NameNode's pod."""
    ask = ("namenode-0", "bash", "-c", _ASK)
    assert installation.cluster.execute(*ask, "", container="namenode") == "200\n"
    assert installation.cluster.execute(*ask, "&user.name=gamelake", container="namenode") in ("400\n", "404\n")
