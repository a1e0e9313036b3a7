"""Players: they send requests over HTTP and note what they were answered."""

import http.client
from collections import Counter
from collections.abc import Iterable

from local.scenario import Requests
from local.settings import HOST, Settings

_CLIENT = {"User-Agent": "gamelake-demo", "Accept": "*/*"}


def play(settings: Settings, scenario: Iterable[Requests]) -> Counter[int]:
    """Send every request, in order, over one connection; return how often each status was answered."""
    answers: Counter[int] = Counter()
    connection = http.client.HTTPConnection(HOST, settings.ports.api, timeout=10)
    try:
        for requests in scenario:
            statuses = Counter(_status(connection, requests) for _ in range(requests.times))
            print(f"  {requests.host:32}{requests.times:4} x {requests.path:20} {_described(statuses)}", flush=True)
            answers += statuses
    finally:
        connection.close()
    return answers


def _status(connection: http.client.HTTPConnection, requests: Requests) -> int:
    connection.request("GET", requests.path, headers={"Host": requests.host, **_CLIENT})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _described(statuses: Counter[int]) -> str:
    return ", ".join(f"{count} answered {status}" for status, count in sorted(statuses.items()))
