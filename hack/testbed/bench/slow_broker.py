"""A broker that answers late: librdkafka's mock broker, which keeps the last records in memory.

It runs as a process of its own until it is stopped: `python -m testbed.bench.slow_broker FILE MILLISECONDS` writes its
address to the file.
"""

import signal
import sys
from pathlib import Path

from confluent_kafka import Producer


def main() -> None:
    file, milliseconds = sys.argv[1:]
    producer = Producer({"test.mock.num.brokers": 1, "test.mock.broker.rtt": int(milliseconds), "log_level": 0})
    [broker] = producer.list_topics(timeout=30).brokers.values()
    partial = Path(f"{file}.partial")
    partial.write_text(f"{broker.host}:{broker.port}")
    # A reader finds the whole address or no file.
    partial.replace(file)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
