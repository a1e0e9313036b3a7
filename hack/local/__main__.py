"""Run the stack as plain processes on this machine: `make up`, `make down`, `make status` call this."""

import argparse
import signal
import sys

from local.settings import Settings, SettingsError
from local.stack import Stack, StackError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status"])
    command = parser.parse_args().command
    # SIGTERM cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        stack = Stack(Settings.from_environment())
        return {"up": _up, "down": _down, "status": _status}[command](stack)
    except (SettingsError, StackError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _up(stack: Stack) -> int:
    stack.up()
    settings = stack.settings
    print(f"\nThe stack is up; its data and logs are under {settings.data}.")
    print(f"  an event:  curl -H 'Host: knight1.comcast.com' {settings.api_url}/purchase_a_sword")
    print("  to rows:   make batch\n  a prompt:  make sql\n  stop:      make down")
    return 0


def _down(stack: Stack) -> int:
    stack.down()
    return 0


def _status(stack: Stack) -> int:
    healthy = True
    for name, state, pid, memory in stack.status():
        healthy &= state == "ready"
        print(f"{name:12}{state:12}{pid or '-':>8}{memory // 1_000_000:>8} MB")
        if state == "died":
            print(f"the end of {stack[name].log}:\n{stack[name].last_lines()}")
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
