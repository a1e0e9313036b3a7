"""What the cluster lets through is what the charts' network policies allow."""

from pathlib import Path

from testbed.cluster.command import KindError
from testbed.cluster.deployment import values
from testbed.waiting import wait_until

from tests.charts.network import Policies, policies
from tests.charts.rendering import Charts
from tests.e2e.installation import Installation
from tests.e2e.probes import STRANGER, VISITOR, Attempt, attempts, strangers

_CLOSED = {
    *((name, server) for name in ("api", "world") for server in ("namenode", "datanode", "hive-metastore")),
    *((name, "hive-metastore-postgresql") for name in ("driver", "executor", "trino", "api")),
    *(("executor", server) for server in ("hive-metastore", "trino", "world-store", STRANGER)),
    *((name, server) for name in (STRANGER, VISITOR) for server in ("kafka", "trino", "namenode", "world-store")),
}
"""Some of those that must find every port of each other closed: a test that tries nothing fails."""
_OPEN = {(STRANGER, "api"), ("driver", STRANGER), ("driver", "hive-metastore")}
_NOTICED = 180
"""Seconds until policies are enforced for new pods."""


def check(installation: Installation, folder: Path) -> None:
    """Let every pod try every port: it reaches what the policies of the installed values name, and nothing else."""
    cluster = installation.cluster
    files = [Path(one).name for one in values(cluster.settings.machines)[1::2]]
    known = Policies(policies(Charts(folder / "charts").render("gamelake", *files)), cluster.namespace)
    tried: list[Attempt] = []

    def holds() -> bool:
        try:
            tried[:] = attempts(cluster, outside, policies=known)
        except KindError as error:
            print(f"a pod has ended: {error}")
            return False
        public = {(one.target, one.port) for one in tried if one.source == STRANGER and one.allowed}
        # With kube-router, replicas reach each other at a port that is open to all, whatever their egress.
        wrong = {
            one
            for one in tried
            if one.open != one.allowed and (one.source != one.target or (one.target, one.port) not in public)
        }
        # A driver that starts again has no executor for a while.
        untried = (_CLOSED | _OPEN) - {(one.source, one.target) for one in tried}
        print(wrong, untried)
        return not wrong and not untried

    installation.pod("executor")
    with strangers(cluster) as outside:
        wait_until("policies to hold", holds, _NOTICED, pause=2)
    opened = {(one.source, one.target) for one in tried if one.open}
    assert not _CLOSED & opened
    assert not _OPEN - opened
