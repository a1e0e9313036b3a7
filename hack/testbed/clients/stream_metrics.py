"""The state of the stream, from its Prometheus metrics."""

import urllib.request
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from testbed.settings import HOST, Settings


@dataclass(frozen=True)
class StreamState:
    """`lag` is in offsets, and None while the broker does not answer; ages and durations are in seconds."""

    lag: int | None
    rows: int
    rejected: int
    last_batch_rows: int
    last_batch_seconds: float
    last_commit_age: float

    def __str__(self) -> str:
        lag = "unknown offsets" if self.lag is None else f"{self.lag:,} offsets"
        if not self.rows:
            return f"{lag} behind, no batch since it started"
        return (
            f"{lag} behind, last batch {self.last_commit_age:.0f} s ago: "
            f"{self.last_batch_rows:,} rows in {self.last_batch_seconds:.1f} s"
        )


def stream_state(settings: Settings) -> StreamState | None:
    """Return the stream's state; None if it does not answer."""
    try:
        values = _values(settings)
    except OSError:
        return None
    return StreamState(
        lag=int(sum(values["lag_offsets"])) if "lag_offsets" in values else None,
        rows=int(values["rows_total"][0]),
        rejected=int(values["rejected_rows_total"][0]),
        last_batch_rows=int(values["last_batch_rows"][0]),
        last_batch_seconds=values["last_batch_duration_seconds"][0],
        last_commit_age=values["last_commit_age_seconds"][0],
    )


def sample(settings: Settings, name: str) -> float:
    """Return the value of a metric without labels, by its name after `gamelake_stream_`."""
    return _values(settings)[name][0]


def _values(settings: Settings) -> dict[str, list[float]]:
    """Return the stream's values of each metric, by its name after `gamelake_stream_`."""
    with urllib.request.urlopen(metrics_url(settings), timeout=10) as answer:  # noqa: S310
        text = answer.read().decode()
    values: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            values.setdefault(one.name.removeprefix("gamelake_stream_"), []).append(one.value)
    return values


def metrics_url(settings: Settings) -> str:
    return f"http://{HOST}:{settings.ports.stream_metrics}/metrics"
