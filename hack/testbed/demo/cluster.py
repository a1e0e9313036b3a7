"""The demo's scenario, through the cluster's API."""

from testbed.cluster.cluster import Cluster
from testbed.cluster.port_forward import port_forwards
from testbed.demo.stack import await_stream, heading, rows, show_answers, show_numbers
from testbed.simulator.players import play
from testbed.simulator.scenario import SCENARIO


def demo(cluster: Cluster) -> bool:
    """Play the scenario and query Trino; return true if every number is as expected."""
    log = f"kubectl --context kind-{cluster.name} --namespace {cluster.namespace} logs stream-driver"
    with port_forwards(cluster) as settings:
        heading(f"Cluster {cluster.name}: the API at {settings.api_url}, Trino at {settings.trino_url}")
        # Otherwise rows of events that were already in the topic would count as the players'.
        await_stream(settings, log)
        before = rows(settings)

        heading("Players, over HTTP")
        answered = play(settings, SCENARIO)

        heading("Rows arriving")
        await_stream(settings, log)
        show_answers(settings)
        return show_numbers(answered[200], before, rows(settings))
