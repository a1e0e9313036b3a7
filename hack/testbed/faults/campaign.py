"""A campaign: fault after fault under load, and after each one the audit."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from random import Random

import trino
from lake.settings import EVENTS

from testbed.audit import audit
from testbed.clients import sql
from testbed.faults.failover_faults import FAILOVER_FAULTS
from testbed.faults.fault import Fault
from testbed.faults.reader import Reader
from testbed.faults.report import Outcome
from testbed.faults.server_faults import NAMENODE_FAULTS, SERVER_FAULTS
from testbed.faults.site import Site
from testbed.faults.stream_faults import STREAM_FAULTS
from testbed.faults.work_faults import WORK_FAULTS
from testbed.settings import HOST
from testbed.simulator.players import Players
from testbed.stack.stack import Stack, StackError
from testbed.waiting import wait_until

FAULTS = {
    number: (*SERVER_FAULTS, *of_namenodes, *STREAM_FAULTS, *WORK_FAULTS)
    for number, of_namenodes in ((1, NAMENODE_FAULTS), (2, FAILOVER_FAULTS))
}
"""All faults of a stack, by the number of its NameNodes."""

_PATIENCE = 300.0
"""Seconds to wait for a stack to recover."""


class Campaign:
    def __init__(self, stack: Stack, seed: int, rate: float) -> None:
        self._stack = stack
        self._random = Random(seed)
        self._site = Site(stack, self._random)
        self._players = Players(stack.settings, rate=rate, seed=seed)
        self._sent = (0, 0)
        self.reader = Reader(stack.settings)

    def run(self, faults: Sequence[Fault], count: int) -> Iterator[Outcome]:
        """Inflict `count` faults, and yield their outcomes; every kind comes once before any comes twice."""
        with self._players:
            self._recovered(time.monotonic())
            with self.reader:
                for number, fault in enumerate(self._draw(faults, count), 1):
                    name = f"[{number} of {count}] {fault.name}"
                    print(f"{name} …", flush=True)
                    with self.reader.accepting_falls() if fault.takes_rows else nullcontext():
                        outcome = self._inflict(fault)
                    print(f"{name}: {outcome}", flush=True)
                    yield outcome

    @property
    def events(self) -> int:
        return self._players.tally.events.total()

    def _draw(self, faults: Sequence[Fault], count: int) -> Iterator[Fault]:
        while count > 0:
            round_ = self._random.sample(faults, min(count, len(faults)))
            yield from round_
            count -= len(round_)

    def _inflict(self, fault: Fault) -> Outcome:
        self._await_calm()
        hit = fault.inflict(self._site)
        # Not earlier, because a fault waits for its moment.
        began = time.monotonic()
        seconds = self._recovered(began)
        stages = audit.audit(self._stack.settings, wait=_PATIENCE, views=audit.EVERY_EVENT)
        if not all(stage.ok for stage in stages):
            audit.show(stages)
        return Outcome(
            fault,
            seconds,
            hit,
            lost=sum(stage.lost.count for stage in stages),
            doubled=sum(stage.doubled.count for stage in stages),
            differing=sum(stage.differing.count for stage in stages),
        )

    def _await_calm(self) -> None:
        """Wait for all servers: events may be visible again while a part of the stack is still starting."""
        for process in map(self._stack.__getitem__, self._stack.names):
            if not process.program.ends:
                wait_until(process.program.name, process.ready, _PATIENCE)

    def _recovered(self, began: float) -> float:
        """Wait until a new event is visible; return the seconds since `began`."""
        try:
            wait_until("an acknowledgement", self._send, _PATIENCE)
            place = self._sent
            wait_until("a fresh row", lambda: self._visible(*place), _PATIENCE, pause=0.5)
        except TimeoutError as error:
            raise StackError(f"the stack did not recover: {error}") from error
        return time.monotonic() - began

    def _send(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._stack.settings.ports.api, timeout=10)
        try:
            connection.request("POST", "/purchase_a_sword", headers={"Host": "probe", "Accept": "application/json"})
            answer = json.loads(connection.getresponse().read())
            self._sent = answer["partition"], answer["offset"]
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return False
        else:
            return True
        finally:
            connection.close()

    def _visible(self, partition: int, offset: int) -> bool:
        query = f"SELECT 1 FROM {EVENTS} WHERE kafka_partition = {partition} AND kafka_offset = {offset}"
        try:
            return bool(sql.ask(self._stack.settings, query)[1])
        except (trino.exceptions.Error, OSError):
            return False
