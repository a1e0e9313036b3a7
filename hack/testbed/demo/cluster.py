"""The demo's scenario, through the cluster's front door."""

from testbed.cluster.cluster import Cluster
from testbed.cluster.port_forward import ways_in
from testbed.demo.stack import await_stream, heading, rows, show_answers, show_numbers
from testbed.simulator.players import play
from testbed.simulator.scenario import SCENARIO


def demo(cluster: Cluster) -> bool:
    """Play it and ask Trino; true if every number is as it must be."""
    log = f"kubectl --context kind-{cluster.name} --namespace {cluster.namespace} logs stream-driver"
    with ways_in(cluster) as settings:
        heading(f"Cluster {cluster.name}: the API at {settings.api_url}, Trino at {settings.trino_url}")
        # What waits in the topic from before would be counted as the players'.
        await_stream(settings, log)
        before = rows(settings)

        heading("Players, over HTTP")
        answered = play(settings, SCENARIO)

        heading("Rows arriving")
        await_stream(settings, log)
        show_answers(settings)
        return show_numbers(answered[200], before, rows(settings))
