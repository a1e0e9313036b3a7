"""Faults of the stream's driver and of its checkpoint."""

import signal
import time

from testbed.clients import webhdfs
from testbed.faults.fault import RESTARTED, Fault
from testbed.faults.site import CHECKPOINT, Site

_FREEZE = 20.0
"""Seconds; longer than Spark's heartbeats to itself may be late."""


def _kill_before_offsets(site: Site) -> str:
    """Kill it between two batches, when the next one is due and not logged yet."""
    batch = site.await_batch()
    site.wait("the batch to be committed", lambda: batch in site.batches("commits"))
    before = site.batches("offsets")
    time.sleep(site.random.uniform(0, 0.5))
    site.kill_driver()
    return "before the offsets were logged" if site.batches("offsets") == before else "after the offsets were logged"


def _kill_mid_write(site: Site) -> str:
    batch = site.await_batch()
    time.sleep(site.random.uniform(0, 0.3))
    site.kill_driver()
    return _where(site, batch)


def _kill_around_commit(site: Site) -> str:
    batch = site.await_batch()
    site.await_metadata()
    time.sleep(site.random.uniform(0, 0.12))
    site.kill_driver()
    return _where(site, batch)


def _kill_after_commit(site: Site) -> str:
    batch = site.await_batch()
    site.wait("the commit file", lambda: batch in site.batches("commits"))
    site.kill_driver()
    return _where(site, batch)


def _where(site: Site, batch: int) -> str:
    """Tell how far the batch was when its driver died."""
    if batch in site.batches("commits"):
        return "after the commit file"
    return "after the commit, before the commit file" if site.is_committed(batch) else "before the commit"


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


def _forget_commit(site: Site) -> None:
    site.stack["stream"].kill()
    _delete_last_commit(site)
    site.stack["stream"].start()


def _forget_commit_and_maintain(site: Site) -> None:
    site.stack["stream"].kill()
    _delete_last_commit(site)
    site.run_job("maintain.py", MAINTAIN_SNAPSHOT_HOURS="0")
    site.stack["stream"].start()


def _delete_last_commit(site: Site) -> None:
    if commits := site.batches("commits"):
        webhdfs.delete(site.settings, f"{CHECKPOINT}/commits/{max(commits)}")


STREAM_FAULTS = (
    Fault("driver, kill -9 before the offsets are logged", _kill_before_offsets),
    Fault("driver, kill -9 mid-write", _kill_mid_write),
    Fault("driver, kill -9 around the commit", _kill_around_commit),
    Fault("driver, kill -9 after the commit file", _kill_after_commit),
    Fault(f"driver, frozen mid-write for {_FREEZE:.0f} s", _freeze),
    Fault("stream, SIGTERM", _stop),
    Fault("last commit file deleted", _forget_commit),
    # Its recovery includes the maintenance itself.
    Fault("last commit file deleted, then compaction and expiry", _forget_commit_and_maintain, RESTARTED),
)
