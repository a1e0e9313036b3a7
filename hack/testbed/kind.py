"""gamelake in a kind cluster: `make kind`, `make kind-demo`, `make kind-down` and `make kind-bench` run this."""

import argparse
import subprocess
import sys
from collections.abc import Sequence

from game_trino.connection import FAILURES

from testbed.bench.cluster import measure
from testbed.bench.cost import BenchError
from testbed.bench.report import machine, table
from testbed.cluster import deployment, images, prerequisites
from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError
from testbed.cluster.operators.install import NAMESPACE as OPERATORS_NAMESPACE
from testbed.cluster.progress import Progress
from testbed.cluster.settings import Settings
from testbed.command_line import Commands, exit_code
from testbed.demo.cluster import demo
from testbed.settings import ROOT
from testbed.settings import SettingsError as LocalSettingsError
from testbed.stack.stack import StackError

_ENVIRONMENT = """environment:
  CLUSTER          name of the kind cluster (gamelake)
  NAMESPACE        namespace of the installation (gamelake)
  MACHINES         1, or 3 with the layout of values-ha.yaml (1)
  OPERATORS        real: from their own charts; standin: those of hack/testbed/cluster/operators/standins;
                   installed: the cluster's own (default: real if their charts are available, else standin)
  KIND_NODE_IMAGE  the node's image (the newest kindest/node that the engine has, else kind's default)"""


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _arguments(arguments)

    def command() -> int:
        prerequisites.check_tools()
        return int(chosen.run(Cluster(Settings.from_environment()), chosen))

    return exit_code(command, KindError, LocalSettingsError, StackError, BenchError, *FAILURES)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    commands = Commands[Cluster]("python -m testbed.kind", __doc__, _ENVIRONMENT)
    add = commands.add
    add("up", _up, "create the cluster if it does not exist, and deploy all of gamelake to it")
    add("demo", _demo, "play the demo's scenario through the API, and query Trino")
    add("down", _down, "delete the cluster and everything in it")
    measuring = add("bench", _bench, "create a cluster, measure it and the stack on this machine, and delete it")
    measuring.add_argument("--seconds", type=float, default=20, help="duration of the load on the API (%(default)s)")
    measuring.add_argument("--connections", type=int, default=32, help="connections to the API (%(default)s)")
    measuring.add_argument("--rate", type=int, default=50, help="events/s while freshness is measured (%(default)s)")
    measuring.add_argument("--freshness-seconds", type=float, default=120, help="duration of that (%(default)s)")
    measuring.add_argument("--minutes", type=float, default=10, help="minutes until memory is measured (%(default)s)")
    return commands.parser.parse_args(arguments)


def _up(cluster: Cluster, _: argparse.Namespace) -> int:
    progress = Progress()
    exists = cluster.exists
    if not exists:
        prerequisites.check_capacity(cluster.settings.machines)
    progress.say("images …")
    images.build()
    progress.say("images built")
    if exists:
        cluster.connect()
        if (machines := len(cluster.workers) or 1) != cluster.settings.machines:
            raise KindError(f"MACHINES: cluster {cluster.name} has {machines}: make kind-down first")
        progress.say(f"cluster {cluster.name} exists")
    else:
        progress.say(f"creating cluster {cluster.name} …")
        cluster.create()
        progress.say(f"cluster {cluster.name} ready")
    try:
        deployment.deploy(cluster, progress)
    except KindError:
        _show_logs(cluster)
        raise
    print(_next_steps(cluster))
    return 0


def _demo(cluster: Cluster, _: argparse.Namespace) -> int:
    cluster.connect()
    if cluster.workers:
        raise KindError(f"the players of cluster {cluster.name} need tokens, and the demo's have none")
    return 0 if demo(cluster) else 1


def _down(cluster: Cluster, _: argparse.Namespace) -> int:
    cluster.delete()
    print(f"cluster {cluster.name} is deleted")
    return 0


def _bench(cluster: Cluster, chosen: argparse.Namespace) -> int:
    rows = measure(cluster, chosen)
    print(f"\n{table(rows)}\n\n{machine()}.")
    return 0


def _show_logs(cluster: Cluster) -> None:
    script = [str(ROOT / "hack/collect-logs"), cluster.namespace, OPERATORS_NAMESPACE]
    subprocess.run(script, env=cluster.environment, stdin=subprocess.DEVNULL, check=False)


def _next_steps(cluster: Cluster) -> str:
    variable = "" if cluster.name == Settings.cluster else f" CLUSTER={cluster.name}"
    variable += "" if cluster.namespace == Settings.namespace else f" NAMESPACE={cluster.namespace}"
    kubectl = f"kubectl --context kind-{cluster.name} --namespace {cluster.namespace}"
    scenario = f"\n  make kind-demo{variable}" if cluster.settings.machines == 1 else ""
    return f"""
Everything is running. Next:{scenario}
  {kubectl} port-forward service/api 5000:http
  {kubectl} port-forward service/api-admin 5010:admin
  {kubectl} port-forward service/trino 8443:https
  {kubectl} get pods,sparkapplications
  make kind-down{variable}"""


if __name__ == "__main__":
    sys.exit(main())
