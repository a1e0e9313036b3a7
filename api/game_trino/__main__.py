"""Create the Secrets of a new Trino in the cluster in which this runs, or print a line of `password.db`.

Secrets that exist are left as they are.
"""

import argparse
import getpass
import json
import ssl
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

from game_trino.login import certificate, password_line, passwords
from game_trino.users import USERS

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_EXISTS = 409
_TIMEOUT = 30
"""Seconds for an answer of the Kubernetes API."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m game_trino", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    user = commands.add_parser("user", help="print a user's line of `password.db`; the password is the standard input")
    user.add_argument("user", metavar="NAME")
    user.set_defaults(run=_print_line)
    create = commands.add_parser("create", help="create the Secrets that do not exist")
    create.add_argument("--login", metavar="SECRET", help="the Secret with the passwords")
    create.add_argument("--tls", metavar="SECRET", help="the Secret with the certificate")
    create.add_argument("--name", action="append", default=[], metavar="HOST", help="a name in the certificate")
    create.add_argument("--api", default="https://kubernetes.default.svc", help="address of the Kubernetes API")
    create.add_argument("--account", type=Path, default=_ACCOUNT, help="folder with token, ca.crt and namespace")
    create.set_defaults(run=_create)
    chosen = parser.parse_args(arguments)
    return int(chosen.run(chosen))


def _print_line(chosen: argparse.Namespace) -> int:
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    print(password_line(chosen.user, password))
    return 0


def _create(chosen: argparse.Namespace) -> int:
    try:
        if chosen.login:
            _post(chosen, chosen.login, "Opaque", passwords(USERS))
        if chosen.tls:
            _post(chosen, chosen.tls, "kubernetes.io/tls", certificate(chosen.name).secret())
    except OSError as error:
        print(f"error: the Kubernetes API at {chosen.api}: {error}", file=sys.stderr)
        return 1
    return 0


def _post(chosen: argparse.Namespace, name: str, kind: str, content: Mapping[str, str]) -> None:
    # Creates only: the account may neither read nor change a Secret.
    labels = {"app.kubernetes.io/name": "trino", "app.kubernetes.io/part-of": "gamelake"}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": labels},
        "type": kind,
        "data": {key: b64encode(text.encode()).decode() for key, text in content.items()},
    }
    namespace, token = ((chosen.account / file).read_text().strip() for file in ("namespace", "token"))
    request = urllib.request.Request(  # noqa: S310 the Kubernetes API
        f"{chosen.api}/api/v1/namespaces/{namespace}/secrets",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    trusted = ssl.create_default_context(cafile=str(chosen.account / "ca.crt"))
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT, context=trusted):  # noqa: S310
            print(f"Secret {name} created")
    except urllib.error.HTTPError as error:
        if error.code != _EXISTS:
            raise
        print(f"Secret {name} exists")


if __name__ == "__main__":
    sys.exit(main())
