"""What the stream tells Prometheus."""

import urllib.request

from local.settings import Settings
from local.stream_state import metrics_url
from prometheus_client.parser import text_string_to_metric_families


def sample(settings: Settings, name: str) -> float:
    """Return the value of a metric without labels."""
    with urllib.request.urlopen(metrics_url(settings), timeout=10) as answer:  # noqa: S310
        families = text_string_to_metric_families(answer.read().decode())
    return next(one.value for family in families for one in family.samples if one.name == name)
