"""Kill, freeze and fill up a running stack under load, and check after each fault that nothing is lost or doubled.

Starts servers of its own, on free loopback ports and with data in a temporary directory, and stops them.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from testbed.faults.campaign import FAULTS, Campaign
from testbed.faults.report import Result, table
from testbed.settings import Settings, SettingsError
from testbed.stack.stack import Stack, StackError


def main() -> int:
    options = _options()
    # SIGTERM cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    data = Path(tempfile.mkdtemp(prefix="gamelake-faults-"))
    stack = Stack(replace(Settings.isolated(data), trigger_seconds=options.trigger, maintenance_seconds=60))
    good = False
    try:
        stack.up()
        good = _run(Campaign(stack, options.seed, options.rate), options)
    except (SettingsError, StackError, TimeoutError, RuntimeError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
    finally:
        stack.down()
        if good:
            shutil.rmtree(data, ignore_errors=True)
        else:
            print(f"its data and logs are in {data}; the same faults again: --seed {options.seed}")
    return 0 if good else 1


def _run(campaign: Campaign, options: argparse.Namespace) -> bool:
    print(f"seed {options.seed}: {options.count} faults at {options.rate:g} events/s", flush=True)
    chosen = [fault for fault in FAULTS if options.only in fault.name]
    results: list[Result] = []
    began = time.monotonic()
    try:
        for result in campaign.run(chosen, options.count):
            results.append(result)
    finally:
        print(f"\n{table(results)}\n")
        reader = campaign.reader
        print(
            f"{len(results)} faults in {(time.monotonic() - began) / 60:.0f} minutes, {campaign.events:,} events; "
            f"a reader was answered {reader.answers:,} times and asked again {reader.retried:,} times, "
            f"saw {len(reader.wrong)} doubles or falling counts"
        )
        for wrong in reader.wrong[:10]:
            print(f"  {wrong}")
    return all(result.good for result in results) and not campaign.reader.wrong


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m testbed.faults", description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="of faults (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="drawn, unless given")
    parser.add_argument("--rate", type=float, default=30, help="events a second meanwhile (%(default)s)")
    parser.add_argument("--trigger", type=int, default=3, help="the stream's, in seconds (%(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="faults whose name holds it")
    options = parser.parse_args()
    if not any(options.only in fault.name for fault in FAULTS):
        parser.error(f"--only: no fault's name holds {options.only!r}")
    return options


if __name__ == "__main__":
    sys.exit(main())
