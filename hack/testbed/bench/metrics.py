"""The stream's Prometheus metrics."""

import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from testbed.clients.stream_metrics import metrics_url
from testbed.settings import Settings


def sample(settings: Settings, name: str) -> float:
    """Return the value of a metric without labels."""
    with urllib.request.urlopen(metrics_url(settings), timeout=10) as answer:  # noqa: S310
        families = text_string_to_metric_families(answer.read().decode())
    return next(one.value for family in families for one in family.samples if one.name == name)
