"""Run gamelake as plain processes on this machine: servers, simulated players, Spark jobs, and an audit of the data.

The Makefile calls these commands: `make up` runs `python -m testbed up`, and so on.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from testbed import course
from testbed.audit import audit
from testbed.clients import sql
from testbed.clients.freshness import freshness
from testbed.clients.stream_metrics import stream_state
from testbed.command_line import Commands, exit_code
from testbed.demo.stack import demo
from testbed.settings import ROOT, Settings, SettingsError
from testbed.simulator import play
from testbed.simulator.players import Players
from testbed.stack import parts, trino_login
from testbed.stack.models import models
from testbed.stack.programs import spark_job, trino_cli
from testbed.stack.stack import Stack, StackError

_ENVIRONMENT = """environment:
  GAMELAKE_DATA           folder for data, logs and pid files (.local in the checkout)
  GAMELAKE_CACHE          folder for downloaded servers, shared by all stacks (~/.cache/gamelake)
  GAMELAKE_NAMENODES      2: a standby NameNode takes over when the active one fails (1)
  GAMELAKE_TRINO_LOGIN    1: users of Trino log in, as on a cluster (0)
  STREAM_TRIGGER_SECONDS  seconds between two batches of the stream (10)
  API_PORT, KAFKA_PORT …  port of each listener; see class Ports in hack/testbed/settings.py"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _arguments(arguments)
    return exit_code(
        lambda: int(options.run(Stack(Settings.from_environment()), options)),
        SettingsError,
        StackError,
        course.LessonError,
    )


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    commands = Commands[Stack]("python -m testbed", __doc__, _ENVIRONMENT)
    add = commands.add
    add("up", _up, "start all servers, create the topic and the tables, and wait until everything is ready")
    add("down", _down, "stop all servers and keep their data")
    add("status", _status, "print the state of each server; fails unless all are ready")
    add("fetch", _fetch, "download the servers' software into the cache")
    command = add("sql", _sql, "open Trino's prompt, or print the result of a query")
    command.add_argument("query", nargs="?", metavar="QUERY", help="such as 'select * from purchases limit 10'")
    add("notebook", _notebook, "open the notebook in Jupyter")
    command = add("demo", _demo, "send a known set of events through the whole pipeline, and check the row counts")
    command.add_argument("--keep", action="store_true", help="leave the servers running")
    command = add("play", _play, "let simulated players send events, and record every answer in the ledger")
    command.add_argument("--players", type=int, default=20, help="number of players (default: %(default)s)")
    command.add_argument("--rate", type=float, default=50, help="events per second, in total (default: %(default)s)")
    command.add_argument("--seconds", type=float, default=60, help="duration (default: %(default)s)")
    command.add_argument("--seed", type=int, default=1, help="repeats the same requests (default: %(default)s)")
    command.add_argument(
        "--retries", type=int, default=3, help="retries of an event that was not acknowledged (default: %(default)s)"
    )
    command = add("ledger", _ledger, "compare the players' ledger with Kafka, the table and its views")
    command.add_argument(
        "--wait", type=float, default=60, metavar="SECONDS", help="longest wait for the table (default: %(default)s)"
    )
    command = add("erase", _erase, "erase players from rows, files, exports and the world")
    command.add_argument("--from-file", metavar="FILE", help="a file with a player's name on each line")
    command.add_argument("--grace", metavar="SECONDS", help="how long running queries keep their files")
    command.add_argument("--orphan-age", metavar="SECONDS", help="age at which files of no snapshot are deleted")
    command.add_argument("players", nargs="*", metavar="PLAYER", help="a name, such as knight1.comcast.com")
    command = add("models", _models, "bring the models of spark-apps/models up to date, and test them")
    command.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of dbt build")
    command = add("job", _job, "run a Spark job of spark-apps on the running stack")
    command.add_argument("file", help="the job's file, such as batch.py")
    command.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the job")
    command = add("kill", _kill, "send a signal to servers, as a fault would end or freeze them")
    command.add_argument("--signal", default="KILL", help="KILL, TERM, STOP or CONT (default: %(default)s)")
    command.add_argument("servers", nargs="+", metavar="SERVER", help="a name of `status`, or all")
    command = add("lesson", _lesson, "run a lesson of docs/course on the running stack")
    command.add_argument("number", type=int, metavar="NUMBER", help="from 1")
    return commands.parser.parse_args(arguments)


def _up(stack: Stack, _: argparse.Namespace) -> int:
    stack.up()
    settings = stack.settings
    print(f"\nThe stack is up; its data and logs are under {settings.data}.")
    print(f"  the game:  {settings.api_url}/play, and the dashboard: {settings.admin_url}/dashboard")
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


def _demo(stack: Stack, options: argparse.Namespace) -> int:
    return 0 if demo(stack, options.keep) else 1


def _play(stack: Stack, options: argparse.Namespace) -> int:
    _require(stack, "api")
    players = Players(
        stack.settings,
        players=options.players,
        rate=options.rate,
        seconds=options.seconds,
        seed=options.seed,
        retries=options.retries,
    )
    play.show(players, lambda: str(stream_state(stack.settings) or "the stream does not answer"))
    return 0


def _ledger(stack: Stack, options: argparse.Namespace) -> int:
    _require(stack, "kafka", "trino")
    stages = audit.audit(stack.settings, options.wait)
    audit.show(stages)
    return 0 if all(stage.ok for stage in stages) else 1


def _job(stack: Stack, options: argparse.Namespace) -> int:
    _require(stack, "kafka", "datanode", "metastore")
    name = options.file.removesuffix(".py")
    stack.run(spark_job(stack.settings, name, options.file, *options.arguments), echo=True)
    return 0


def _models(stack: Stack, options: argparse.Namespace) -> int:
    _require(stack, "trino")
    stack.run(models(stack.settings, *options.arguments), echo=True)
    return 0


def _erase(stack: Stack, options: argparse.Namespace) -> int:
    _require(stack, "store", "world", "kafka", "datanode", "metastore")
    file = options.from_file and Path(options.from_file).absolute()
    given = {"--from-file": file, "--grace": options.grace, "--orphan-age": options.orphan_age}
    chosen = [f"{option}={value}" for option, value in given.items() if value is not None]
    stack.run(spark_job(stack.settings, "erase", "erase.py", *chosen, "--", *options.players), echo=True)
    world = stack["world"].program
    # With `=` also names that begin with a dash.
    forget = [f"--forget={player}" for player in options.players]
    if file:
        forget.append(f"--forget-from={file}")
    stack.run(replace(world, name="forget", command=[*world.command, *forget]), echo=True)
    return 0


def _require(stack: Stack, *names: str) -> None:
    for name in names:
        if not stack[name].alive:
            raise StackError(f"{name} is not running. Start the stack first: make up")


def _sql(stack: Stack, options: argparse.Namespace) -> int:
    _require(stack, "trino")
    if not options.query:
        os.execve(*trino_cli(stack.settings))
    sql.show(stack.settings, options.query)
    return 0


def _kill(stack: Stack, options: argparse.Namespace) -> int:
    everything = options.servers == ["all"]
    servers = stack.names if everything else options.servers
    if unknown := sorted(set(servers) - set(stack.names)):
        raise StackError(f"server: expected all or some of {', '.join(stack.names)}, got {unknown[0]}")
    try:
        number = signal.Signals[f"SIG{options.signal}"]
    except KeyError:
        raise StackError(f"signal: expected a name such as KILL, got {options.signal}") from None
    for name in servers:
        stack[name].strike(number, for_good=everything)
    return 0


def _lesson(stack: Stack, options: argparse.Namespace) -> int:
    _require(stack, "api", "stream", "trino")
    course.run(stack.settings, options.number)
    return 0


def _notebook(stack: Stack, _: argparse.Namespace) -> int:
    environment = {**os.environ, **trino_login.of_client(stack.settings, "analyst")}
    jupyter = [sys.executable, "-m", "jupyter", "lab", str(ROOT / "hack/testbed/notebook/gamelake.ipynb")]
    os.execve(jupyter[0], jupyter, environment)


if __name__ == "__main__":
    sys.exit(main())
