"""Faults of the stream's driver, and of the table's history that it goes by."""

import os
import signal
import time

from testbed.faults.fault import RESTARTED, Fault
from testbed.faults.site import Site

_FREEZE = 20.0
"""Seconds; longer than Spark's heartbeats to itself may be late."""


def _kill_between_batches(site: Site) -> None:
    site.await_commit()
    time.sleep(site.random.uniform(0, 0.5))
    site.kill_driver()


def _kill_mid_write(site: Site) -> str:
    begun = site.await_batch()
    time.sleep(site.random.uniform(0, 0.3))
    site.kill_driver()
    return _where(site, begun)


def _kill_around_commit(site: Site) -> str:
    begun = site.await_batch()
    site.await_metadata()
    time.sleep(site.random.uniform(0, 0.12))
    site.kill_driver()
    return _where(site, begun)


def _where(site: Site, begun: float) -> str:
    """Tell how far the batch was when its driver died."""
    return "after the commit" if site.has_loaded(begun) else "before the commit"


def _freeze(site: Site) -> None:
    driver = site.driver()
    site.await_batch()
    driver.suspend()
    try:
        time.sleep(_FREEZE)
    finally:
        driver.resume()


def _stop(site: Site) -> None:
    site.driver().send_signal(signal.SIGTERM)


def _kill_and_maintain(site: Site) -> None:
    site.await_batch()
    site.stack["stream"].kill()
    site.run_job("maintain.py", MAINTAIN_SNAPSHOT_HOURS="0")
    site.stack["stream"].start()


def _second_stream(site: Site) -> None:
    """Run another stream beside it for some batches, and kill that one."""
    second = site.start_job("stream.py", METRICS_PORT=str(site.settings.ports.free().api))
    try:
        for _ in range(3):
            site.await_commit()
    finally:
        os.killpg(second.pid, signal.SIGKILL)
        second.wait()


STREAM_FAULTS = (
    Fault("driver, kill -9 between two batches", _kill_between_batches),
    Fault("driver, kill -9 mid-write", _kill_mid_write),
    Fault("driver, kill -9 around the commit", _kill_around_commit),
    Fault(f"driver, frozen mid-write for {_FREEZE:.0f} s", _freeze),
    Fault("stream, SIGTERM", _stop),
    # Its recovery includes the maintenance itself.
    Fault("driver, kill -9 mid-write, then compaction and expiry", _kill_and_maintain, RESTARTED),
    Fault("a second stream beside it", _second_stream),
)
