"""Kill, freeze and fill up a running stack under load, and check after each fault that nothing is lost or doubled.

Starts servers of its own, on free loopback ports and with their data in a temporary directory, and stops them. A
campaign that has run every fault to its end writes docs/faults.md. One that fails, is interrupted, leaves faults out
or has two NameNodes changes no file. It fails if something is lost or doubled, or if the stack does not recover; a
recovery after its target is printed as missed.
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

from testbed.faults import document
from testbed.faults.campaign import FAULTS, Campaign
from testbed.faults.report import Outcome, rows, table
from testbed.results.run import Run
from testbed.settings import Settings, SettingsError
from testbed.stack.stack import Stack, StackError


def main() -> int:
    options = _options()
    # SIGTERM cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    data = Path(tempfile.mkdtemp(prefix="gamelake-faults-"))
    ok = False
    settings = replace(Settings.isolated(data), trigger_seconds=options.trigger, maintenance_seconds=60)
    stack = Stack(replace(settings, namenodes=options.namenodes))
    try:
        stack.up()
        ok = _run(Campaign(stack, options.seed, options.rate), options)
    except (SettingsError, StackError, TimeoutError, RuntimeError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
    finally:
        stack.down()
        if ok:
            shutil.rmtree(data, ignore_errors=True)
        else:
            print(f"data and logs are in {data}; to repeat the same faults: --seed {options.seed}")
    return 0 if ok else 1


def _run(campaign: Campaign, options: argparse.Namespace) -> bool:
    run = Run.begin("testbed.faults")
    print(f"seed {options.seed}: {options.count} faults at {options.rate:g} events/s", flush=True)
    chosen = [fault for fault in FAULTS[options.namenodes] if options.only in fault.name]
    outcomes: list[Outcome] = []
    began = time.monotonic()
    try:
        for outcome in campaign.run(chosen, options.count):
            outcomes.append(outcome)
    finally:
        summary = _summary(campaign, len(outcomes), time.monotonic() - began)
        print(f"\n{table(rows(outcomes))}\n\n{summary}")
        for error in campaign.reader.errors[:10]:
            print(f"  {error}")
    if {outcome.fault for outcome in outcomes} == set(FAULTS[1]):
        # In the order of FAULTS, so that the documents of two campaigns are easy to compare.
        outcomes.sort(key=lambda outcome: FAULTS[1].index(outcome.fault))
        conditions = f"Seed {options.seed}, {options.rate:g} events/s, a batch every {options.trigger} s."
        document.record(run, rows(outcomes), [summary, conditions])
    else:
        print(f"docs/{document.NAME} stays as it is: this campaign left faults out, or had two NameNodes")
    return all(outcome.ok for outcome in outcomes) and not campaign.reader.errors


def _summary(campaign: Campaign, count: int, seconds: float) -> str:
    reader = campaign.reader
    return (
        f"{count} faults in {seconds / 60:.0f} minutes, {campaign.events:,} events; "
        f"a reader got {reader.answers:,} answers after {reader.retried:,} retries, "
        f"and saw {len(reader.errors)} doubles or falling counts."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m testbed.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100, help="number of faults (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeats a campaign (default: drawn)")
    parser.add_argument("--rate", type=float, default=30, help="events per second (default: %(default)s)")
    parser.add_argument("--trigger", type=int, default=3, help="seconds between batches (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only faults whose name contains TEXT")
    parser.add_argument(
        "--namenodes", type=int, choices=(1, 2), default=1, help="2: with automatic failover (default: 1)"
    )
    options = parser.parse_args()
    if not any(options.only in fault.name for fault in FAULTS[options.namenodes]):
        parser.error(f"--only: no fault's name contains {options.only!r}")
    return options


if __name__ == "__main__":
    sys.exit(main())
