"""Measures a kind cluster, and compares it with the stack on the same machine."""

import json
import os
import tempfile
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lake.settings import EVENTS

from testbed.bench import freshness, traffic
from testbed.bench.answers import Answers
from testbed.bench.cost import run_module
from testbed.bench.freshness import Freshness
from testbed.bench.report import Row
from testbed.clients import sql
from testbed.cluster import deployment, images
from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError, run
from testbed.cluster.operators import install
from testbed.cluster.port_forward import port_forwards
from testbed.cluster.progress import Progress
from testbed.settings import ROOT
from testbed.settings import Settings as LocalSettings
from testbed.simulator.players import play
from testbed.simulator.scenario import Requests
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

_TARGET_SECONDS = 360
_TARGET_GIB = 8
_GIB = 1 << 30
_API_PORT = 5000
"""The port in the container."""
_ONE_EVENT = (Requests("user1.comcast.com", 1, "/"),)

# A busy installation has the usual compilers.
_USUAL_JVM = ("--set", "global.javaOptions=")
# All requests come from one address, which the limits would throttle.
_UNLIMITED = {"API_PLAYER_RATE": "0", "API_ADDRESS_RATE": "0"}
_UNLIMITED_VALUES = ("--set", "api.limits.playerRate=0,api.limits.addressRate=0")

LOAD = """
import json, sys
given = json.load(sys.stdin)
load = {"__name__": "load"}
exec(given["module"], load)
requests = [one.encode() for one in given["requests"]]
print(json.dumps(load["play"](int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), requests)))
"""
"""Runs the load generator in a pod: its module and the requests are the standard input."""


@dataclass(frozen=True)
class Served:
    requests_per_second: float
    fresh: Freshness


def measure(cluster: Cluster, options: Namespace) -> list[Row]:
    """Measure the stack, then a new cluster: one after the other, because they share the machine's cores."""
    if cluster.exists:
        raise KindError(f"cluster {cluster.name} exists already: its earlier load would distort the measurement")
    if cluster.settings.machines > 1:
        raise KindError("MACHINES: expected 1, because the load has no tokens for the players of several")
    stack = _measure_stack(options)
    images.build()
    progress = Progress()
    try:
        cluster.create()
        deployment.deploy(cluster, progress, *_UNLIMITED_VALUES, *_USUAL_JVM)
        with port_forwards(cluster) as settings:
            first_row = _first_row(settings, progress)
            served = Served(_load_in_pod(cluster, options), _freshness(settings, options))
            time.sleep(max(0, first_row + options.minutes * 60 - progress.seconds))
            memory = _memory(cluster)
    finally:
        cluster.delete()
    return _rows(first_row, memory, served, stack, options)


def _measure_stack(options: Namespace) -> Served:
    # The servers inherit this environment.
    os.environ.update(_UNLIMITED)
    with tempfile.TemporaryDirectory(prefix="gamelake-bench-") as folder:
        stack = Stack(LocalSettings.isolated(Path(folder)))
        try:
            stack.up()
            arguments = (stack.settings.ports.api, options.connections, options.seconds)
            load = run_module("load", *arguments, timeout=options.seconds + 60)
            return Served(_rate(load), _freshness(stack.settings, options))
        finally:
            stack.down()


def _first_row(settings: LocalSettings, progress: Progress) -> float:
    """Send an event, and return the seconds until Trino shows it."""
    play(settings, _ONE_EVENT)
    wait_until("the first row", lambda: sql.count(settings, EVENTS), 300)
    progress.say("the first row")
    return progress.seconds


def _load_in_pod(cluster: Cluster, options: Namespace) -> float:
    """Return the requests per second from inside the API's pod: a port-forward would be the bottleneck."""
    pod = cluster.api.find("Pod", "app.kubernetes.io/name=api")[0]["metadata"]["name"]
    arguments = map(str, (_API_PORT, options.connections, options.seconds))
    return _rate(json.loads(cluster.execute(pod, "python3", "-c", LOAD, *arguments, stdin=load_input())))


def load_input() -> str:
    """Return the standard input of LOAD."""
    module = (ROOT / "hack/testbed/bench/load.py").read_text()
    return json.dumps({"module": module, "requests": [one.decode() for one in traffic.single_requests()]})


def _rate(load: Mapping[str, Any]) -> float:
    answers = Answers.of(load)
    return len(answers.only_ok("the API")) / answers.seconds


def _freshness(settings: LocalSettings, options: Namespace) -> Freshness:
    return freshness.measure(settings, options.rate, options.freshness_seconds)


def _memory(cluster: Cluster) -> Counter[str]:
    """Return the working set of each of our namespaces in bytes, as the kubelet reports it."""
    summary = cluster.api.read(f"/api/v1/nodes/{cluster.node}/proxy/stats/summary")
    found: Counter[str] = Counter()
    for pod in summary["pods"]:
        if pod["podRef"]["namespace"] in (cluster.namespace, install.NAMESPACE):
            # A pod that has just started has no figure yet.
            found[pod["podRef"]["namespace"]] += pod.get("memory", {}).get("workingSetBytes", 0)
    return found


def _image_sizes() -> str:
    output = run("docker", "image", "inspect", "--format", "{{.Size}}", *images.tags())
    sizes = [int(size) // 1_000_000 for size in output.split()]
    each = ", ".join(
        f"{tag.rpartition('/')[2].partition(':')[0]} {size}" for tag, size in zip(images.tags(), sizes, strict=True)
    )
    return f"{sum(sizes):,} MB: {each}"


def _rows(first_row: float, memory: Counter[str], served: Served, stack: Served, options: Namespace) -> list[Row]:
    def fresh(one: Served) -> str:
        return f"{one.fresh.p50:.1f} / {one.fresh.p99:.1f} / {one.fresh.most:.1f} s"

    total = memory.total() / _GIB
    return [
        Row(
            "from `kind create` to the first row in Trino, images built",
            f"{first_row:.0f} s",
            target=f"at most {_TARGET_SECONDS} s",
            met=first_row <= _TARGET_SECONDS,
        ),
        Row(
            f"memory of all pods of gamelake and its operators after {options.minutes:g} minutes",
            f"{total:.1f} GiB, {memory[install.NAMESPACE] / _GIB:.1f} of it the operators'",
            target=f"at most {_TARGET_GIB} GiB",
            met=total <= _TARGET_GIB,
        ),
        Row("images, shared layers counted in each", _image_sizes()),
        Row(
            f"acknowledged requests/s, {options.connections} connections, sent from inside the API's pod",
            f"{served.requests_per_second:,.0f}",
            f"{stack.requests_per_second:,.0f}, `make up`",
            f"{served.requests_per_second / stack.requests_per_second:.2f}",
        ),
        Row(
            f"acknowledged to visible in Trino, p50 / p99 / most, {options.rate} events/s",
            fresh(served),
            f"{fresh(stack)}, `make up`",
            f"{served.fresh.p50 / stack.fresh.p50:.2f}",
        ),
    ]
