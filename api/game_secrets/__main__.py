"""Create the Secrets that an installation needs, in the cluster in which this runs.

Each option names one. Those that exist are left as they are.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from game_trino.login import certificate, passwords
from game_trino.users import USERS

from game_secrets import contents
from game_secrets.cluster import KubernetesApi

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m game_secrets", description=__doc__)
    add = parser.add_argument
    add("--database", metavar="SECRET", help="user and password of the metastore's database")
    add("--store", metavar="SECRET", help="password and URL of the world's store")
    add("--store-address", metavar="HOST:PORT", help="where that is")
    add("--players", metavar="SECRET", help="what signs the API's own tokens")
    add("--trino-login", metavar="SECRET", help="passwords of Trino's users")
    add("--trino-tls", metavar="SECRET", help="Trino's certificate")
    add("--trino-name", metavar="HOST", action="append", default=[], help="a name in that certificate")
    add("--api", default="https://kubernetes.default.svc", help="address of the Kubernetes API")
    add("--account", type=Path, default=_ACCOUNT, help="folder with token, ca.crt and namespace")
    chosen = parser.parse_args(arguments)
    if chosen.store and not chosen.store_address:
        parser.error("--store needs --store-address")
    api = KubernetesApi(chosen.api, chosen.account)
    made: list[tuple[str | None, str, Callable[[], Mapping[str, str]]]] = [
        (chosen.database, "Opaque", contents.database),
        (chosen.store, "Opaque", lambda: contents.store(chosen.store_address)),
        (chosen.players, "Opaque", contents.players),
        (chosen.trino_login, "Opaque", lambda: passwords(USERS)),
        (chosen.trino_tls, "kubernetes.io/tls", lambda: certificate(chosen.trino_name).secret()),
    ]
    try:
        for name, kind, content in made:
            if name:
                print(f"Secret {name} {'created' if api.create(name, kind, content()) else 'exists'}")
    except OSError as error:
        print(f"error: the Kubernetes API at {chosen.api}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
