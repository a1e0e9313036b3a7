"""The models on the real Trino."""

import re
from datetime import datetime

from game_events import encode
from testbed.settings import ROOT
from testbed.stack.models import models
from testbed.stack.stack import Stack

from tests.local.lake import Lake

BEGIN = int(datetime.fromisoformat("2026-01-05T23:50:00Z").timestamp() * 1000)
MINUTE = 60_000
_EVENTS = (
    # Two sessions on three days, of which the first one passes midnight.
    ("anna", "default", 0),
    ("anna", "purchase_sword", 20),
    ("anna", "join_guild", 49),
    ("anna", "default", 2000),
    ("bert", "default", 5),
)


def test_a_run_and_a_later_one(lake: Lake, stack: Stack) -> None:
    """All models are built and answer the questions of the docs; a late event then joins a session."""
    lake.write([_event(*event) for event in _EVENTS])
    lake.job("batch.py", "load")
    # The generic tests take a query each.
    stack.run(models(stack.settings, "--exclude", "test_type:generic"))
    minutes = "SELECT date_diff('minute', started_at, ended_at), events FROM lake.models.sessions"
    query = minutes + " WHERE player = '{}.models' ORDER BY 1"
    assert lake.ask(query.format("anna")) == [[0, 1], [49, 3]]
    assert lake.ask("SELECT step, players >= 1 FROM lake.models.funnel WHERE step < 3 ORDER BY 1") == [
        [1, True],
        [2, True],
    ]
    retained = (
        "SELECT day_number, players FROM lake.models.retention WHERE cohort = DATE '2026-01-05' AND day_number < 3"
    )
    assert lake.ask(f"{retained} ORDER BY 1") == [[0, 2], [1, 1], [2, 1]]
    questions = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/models.md").read_text(), re.DOTALL)
    for asked in ";".join(questions).split(";"):
        if asked.strip():
            lake.ask(asked)
    lake.write([_event("anna", "default", 75), _event("bert", "default", 1500)])
    lake.job("batch.py", "load")
    changed = ("events_by_day", "player_days", "sessions", "players", "retention")
    stack.run(models(stack.settings, "--exclude-resource-type", "test", "--select", *changed))
    assert lake.ask(query.format("anna")) == [[0, 1], [75, 4]]
    assert lake.ask(query.format("bert")) == [[0, 1], [0, 1]]
    assert lake.ask(f"{retained} ORDER BY 1") == [[0, 2], [1, 1], [2, 2]]
    [[comment]] = [row[3:] for row in lake.ask("DESCRIBE lake.models.retention") if row[0] == "rate"]
    assert comment == "Their share"


def _event(player: str, event_type: str, minutes: int) -> bytes:
    event = {
        "event_id": f"{player}-{minutes}",
        "event_type": event_type,
        "schema_version": 1,
        "received_at": BEGIN + minutes * MINUTE,
        "player": f"{player}.models",
        "idempotent": True,
    }
    return encode(event | ({"strength": 5} if event_type == "purchase_sword" else {}))
