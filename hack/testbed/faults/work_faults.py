"""Faults of writers other than the stream: maintenance, batch jobs, bad records, a rollback, a full disk."""

import json
import time

import psutil
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions
from lake.settings import EVENTS

from testbed.clients import sql, webhdfs
from testbed.clients.topic import end_offsets
from testbed.faults.fault import RESTARTED, Fault
from testbed.faults.site import Site

_POISON = (
    *(b"", b"{", b"\xff\xfe", b"null", b"[]", None),
    json.dumps({"event_type": "no such type"}).encode(),
    rb'{"event_type": "default", "\ud800": 1}',
)
_OPEN = 8.0
"""Seconds for which a transaction is open."""
_FULL = 10.0
"""Seconds for which HDFS accepts no block."""


def _maintain(site: Site) -> None:
    site.run_job("maintain.py")


def _kill_maintenance(site: Site) -> None:
    job = site.start_job("maintain.py")
    time.sleep(site.random.uniform(8, 20))
    family = [*psutil.Process(job.pid).children(recursive=True), psutil.Process(job.pid)]
    for process in family:
        process.kill()
    job.wait()


def _load_beside(site: Site) -> None:
    """Load the end of the topic, which the stream is writing or has just written."""
    ends = end_offsets(site.settings)
    ranges = [f"{partition}:{max(0, end - 500)}-{end}" for partition, end in ends.items()]
    site.run_job("batch.py", "load", "--offsets", *ranges)


def _poison(site: Site) -> None:
    producer = Producer({"bootstrap.servers": site.settings.bootstrap_servers})
    for value in _POISON:
        producer.produce(site.settings.topic, value, b"poison")
    producer.flush(10)


def _abort_transaction(site: Site) -> None:
    """Keep a transaction open over several batches, which cannot pass it, and abort it."""
    servers = {"bootstrap.servers": site.settings.bootstrap_servers}
    producer = Producer(servers | {"transactional.id": "fault", "transaction.timeout.ms": 60_000})
    producer.init_transactions(30)
    producer.begin_transaction()
    for partition in end_offsets(site.settings):
        producer.produce(site.settings.topic, b"{}", b"aborted", partition)
    producer.flush(10)
    time.sleep(_OPEN)
    producer.abort_transaction(30)


def _add_partition(site: Site) -> None:
    count = len(end_offsets(site.settings)) + 1
    admin = AdminClient({"bootstrap.servers": site.settings.bootstrap_servers})
    admin.create_partitions([NewPartitions(site.settings.topic, count)])[site.settings.topic].result(30)


def _fill_disk(site: Site) -> None:
    """Set a quota, so that HDFS refuses blocks: clients see the same errors as with a full disk."""
    webhdfs.set_space_quota(site.settings, "/", 1)
    try:
        time.sleep(_FULL)
    finally:
        webhdfs.set_space_quota(site.settings, "/", -1)


def _roll_back(site: Site) -> None:
    """Roll the table back by some commits, as a person who repairs it does; then the stream loads those rows again."""
    query = (
        'SELECT snapshot_id FROM lake.default."events$history" WHERE is_current_ancestor '
        "ORDER BY made_current_at DESC OFFSET 4 LIMIT 1"
    )
    [[snapshot]] = sql.ask(site.settings, query)[1]
    sql.ask(site.settings, f"ALTER TABLE {EVENTS} EXECUTE rollback_to_snapshot({snapshot})")


WORK_FAULTS = (
    Fault("maintenance", _maintain),
    Fault("maintenance, kill -9 midway", _kill_maintenance),
    Fault("batch job over the stream's offsets", _load_beside),
    Fault("poison records", _poison),
    Fault(f"transaction, open for {_OPEN:.0f} s and aborted", _abort_transaction),
    Fault("partition added", _add_partition),
    Fault("table rolled back by four commits", _roll_back, takes_rows=True),
    Fault(f"HDFS full for {_FULL:.0f} s", _fill_disk, RESTARTED),
)
