"""How long ago each step of maintenance succeeded, for Prometheus: the runs of a job are too short to be asked."""

import time
from collections.abc import Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lake.maintenance.memory import Memory


class Ages(Collector):
    """The ages of these steps, by what the memory has read last. One that never ran is as old as this object."""

    def __init__(self, memory: Memory, steps: Sequence[str]) -> None:
        self._memory, self._steps = memory, steps
        self._began = time.time()

    def collect(self) -> list[GaugeMetricFamily]:
        age = GaugeMetricFamily(
            "gamelake_maintenance_age_seconds",
            "Since the last run of maintenance began in which this step succeeded",
            labels=["step"],
        )
        for step in self._steps:
            age.add_metric([step], time.time() - (self._memory.ran(step) or self._began))
        return [age]
