"""What the report of a failed test has beside its own output."""

import subprocess

import pytest
from testbed.cluster.cluster import Cluster
from testbed.settings import ROOT
from testbed.stack.process import log_tail


def add_logs(report: pytest.TestReport, cluster: Cluster) -> None:
    """Add the cluster's state and logs to the report of a failure."""
    if not (report.failed and cluster.kubeconfig.exists()):
        return
    script = [str(ROOT / "hack/collect-logs"), cluster.namespace, "operators"]
    logs = subprocess.run(script, env=cluster.environment, capture_output=True, text=True, check=False)
    report.sections.append(("state and logs of the cluster", logs.stdout + logs.stderr))
    forwards = sorted((cluster.settings.data / "logs").glob("forward-*.log"))
    report.sections.append(("port-forwards", "\n".join(f"{one.name}: {log_tail(one)}" for one in forwards)))
