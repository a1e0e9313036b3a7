"""Run the stack as plain processes on this machine: `make up`, `make demo` and the like call this."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

from testbed.audit import audit
from testbed.clients.freshness import freshness
from testbed.clients.stream_metrics import stream_state
from testbed.demo.stack import demo
from testbed.settings import HOST, ROOT, Settings, SettingsError
from testbed.simulator import play
from testbed.simulator.players import Players
from testbed.stack import parts
from testbed.stack.programs import spark_job, trino_cli
from testbed.stack.stack import Stack, StackError


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _arguments(arguments)
    # SIGTERM cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(chosen.run(Stack(Settings.from_environment()), chosen))
    except (SettingsError, StackError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m testbed", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, purpose in (
        ("up", _up, "start what does not run, and wait until all is ready"),
        ("down", _down, "stop what runs; the data stays"),
        ("status", _status, "say which servers run; fails unless all do"),
        ("fetch", _fetch, "download what the servers are made of"),
        ("sql", _sql, "open Trino's prompt"),
        ("notebook", _notebook, "open the notebook"),
    ):
        commands.add_parser(name, help=purpose).set_defaults(run=run)
    demonstration = commands.add_parser("demo", help="show the whole road once and check its numbers")
    demonstration.add_argument("--keep", action="store_true", help="leave it running")
    demonstration.set_defaults(run=_demo)
    playing = commands.add_parser("play", help="let simulated players send events, and note what they are told")
    playing.add_argument("--players", type=int, default=20, help="how many (20)")
    playing.add_argument("--rate", type=float, default=50, help="events a second, of all together (50)")
    playing.add_argument("--seconds", type=float, default=60, help="how long (60)")
    playing.add_argument("--seed", type=int, default=1, help="the same one draws the same requests (1)")
    playing.add_argument("--retries", type=int, default=3, help="of an event that was not acknowledged (3)")
    playing.set_defaults(run=_play)
    ledger = commands.add_parser("ledger", help="compare what players were told with Kafka, the table and its views")
    ledger.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="for the table, at most (60)")
    ledger.set_defaults(run=_ledger)
    erase = commands.add_parser("erase", help="erase a player from rows, files, exports and the world")
    erase.add_argument("player")
    erase.add_argument("arguments", nargs=argparse.REMAINDER, help="of erase.py")
    erase.set_defaults(run=_erase)
    job = commands.add_parser("job", help="run a Spark job of spark-apps on the running stack")
    job.add_argument("file")
    job.add_argument("arguments", nargs=argparse.REMAINDER)
    job.set_defaults(run=_job)
    return parser.parse_args(arguments)


def _up(stack: Stack, _: argparse.Namespace) -> int:
    stack.up()
    settings = stack.settings
    print(f"\nThe stack is up; its data and logs are under {settings.data}.")
    print(f"  the game:  {settings.api_url}/play, and {settings.api_url}/dashboard")
    print(f"  an event:  curl -H 'Host: knight1.comcast.com' {settings.api_url}/purchase_a_sword")
    print(f"  rows:      within {settings.trigger_seconds + 3} s, see make status\n  a prompt:  make sql")
    print("  players:   make play, then make ledger\n  stop:      make down")
    return 0


def _down(stack: Stack, _: argparse.Namespace) -> int:
    stack.down()
    return 0


def _fetch(stack: Stack, _: argparse.Namespace) -> int:
    parts.fetch_missing(stack.settings)
    return 0


def _status(stack: Stack, _: argparse.Namespace) -> int:
    rows = stack.status()
    for name, state, pid, memory in rows:
        print(f"{f'{name:11} {state}':28}{pid or '-':>8}{memory // 1_000_000:>8} MB")
        if state == "died":
            print(f"the end of {stack[name].log}:\n{stack[name].last_lines()}")
    if stream := stream_state(stack.settings):
        print(f"\nthe stream is {stream}\nfreshness: {freshness(stack.settings)}")
    return 0 if all(state == "ready" for _, state, _, _ in rows) else 1


def _demo(stack: Stack, chosen: argparse.Namespace) -> int:
    return 0 if demo(stack, chosen.keep) else 1


def _play(stack: Stack, chosen: argparse.Namespace) -> int:
    _demand(stack, "api")
    players = Players(
        stack.settings,
        players=chosen.players,
        rate=chosen.rate,
        seconds=chosen.seconds,
        seed=chosen.seed,
        retries=chosen.retries,
    )
    play.show(players, lambda: str(stream_state(stack.settings) or "the stream does not answer"))
    return 0


def _ledger(stack: Stack, chosen: argparse.Namespace) -> int:
    _demand(stack, "kafka", "trino")
    stages = audit.audit(stack.settings, chosen.wait)
    audit.show(stages)
    return 0 if all(stage.ok for stage in stages) else 1


def _job(stack: Stack, chosen: argparse.Namespace) -> int:
    _demand(stack, "kafka", "datanode", "metastore")
    name = chosen.file.removesuffix(".py")
    stack.run(spark_job(stack.settings, name, chosen.file, *chosen.arguments), echo=True)
    return 0


def _erase(stack: Stack, chosen: argparse.Namespace) -> int:
    _demand(stack, "store", "kafka", "datanode", "metastore")
    stack.run(spark_job(stack.settings, "erase", "erase.py", *chosen.arguments, "--", chosen.player), echo=True)
    world = stack["world"].program
    stack.run(replace(world, name="forget", command=[*world.command, "--forget", chosen.player]), echo=True)
    return 0


def _demand(stack: Stack, *names: str) -> None:
    for name in names:
        if not stack[name].alive:
            raise StackError(f"{name} does not run. Start the stack first: make up")


def _sql(stack: Stack, _: argparse.Namespace) -> int:
    _demand(stack, "trino")
    os.execv(*trino_cli(stack.settings))


def _notebook(stack: Stack, _: argparse.Namespace) -> int:
    environment = {
        **os.environ,
        # It asks the dashboard's questions.
        "PYTHONPATH": os.pathsep.join([str(ROOT / "api"), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "TRINO_HOST": HOST,
        "TRINO_PORT": str(stack.settings.ports.trino),
    }
    jupyter = [sys.executable, "-m", "jupyter", "lab", str(ROOT / "hack/testbed/notebook/gamelake.ipynb")]
    os.execve(jupyter[0], jupyter, environment)


if __name__ == "__main__":
    sys.exit(main())
