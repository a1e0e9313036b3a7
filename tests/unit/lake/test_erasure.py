"""Which rows an erasure changes, and how."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from lake.erasure.erasure import Erasure
from lake.erasure.players import Players
from lake.settings import EVENTS, Settings
from lake.transforms import to_events
from pyspark.sql import SparkSession

from tests.poison import EXAMPLES, SWORD

WRITTEN = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
RECORDS = "key BINARY, value BINARY, partition INT, offset BIGINT, timestamp TIMESTAMP"
PEACE = json.loads((EXAMPLES / "declare_peace.json").read_text())


def event(example: dict[str, Any], **changes: str) -> bytes:
    return json.dumps(example | changes).encode()


ERASED = {
    "a name": (b"ada", event(SWORD, player="ada")),
    "another spelling": (b"ada", event(SWORD, player="ADA")),
    "another player": ("jürgen".encode(), event(SWORD, player="jürgen", host="other")),
    "a key": (b"Ada", b"{"),
    "escapes": (b"bob", b'{"player": "\\u0041da"}'),
    "invalid JSON": (b"bob", b'{"player": "\\u0061da'),
}
EMPTIED = {
    "target": (b"bob", event(PEACE, player="bob", target="ADA", host="bob")),
    "host": (b"bob", event(PEACE, player="bob", target="carol", host="Ada:5000")),
    "both": (b"bob", event(PEACE, player="bob", target="ada", host="xn--jrgen-kva")),
}
KEPT = {
    "another name": (b"adam", event(SWORD, player="adam", host="adam:5000")),
    "another text": (b"bob", b'{"text": "of ada"}'),
    "no text": (None, None),
}


def test_rows(spark: SparkSession, events: Path) -> None:
    """Rows of all players in any spelling are emptied; others only lose a target or a host that names one of them."""
    cases = [*ERASED, *EMPTIED, *KEPT]
    pairs = [*ERASED.values(), *EMPTIED.values(), *KEPT.values()]
    records = [(key, value, 0, offset, WRITTEN) for offset, (key, value) in enumerate(pairs)]
    to_events(spark.createDataFrame(records, RECORDS)).coalesce(1).writeTo(EVENTS).append()
    # A row of another writer, whose names have no normal form.
    spark.sql(f"UPDATE {EVENTS} SET player = 'ADA' WHERE kafka_offset = 1")
    before = {row.kafka_offset: row.asDict() for row in spark.table(EVENTS).collect()}
    locations = {"events": "", "rollups": "/rollups", "export": "/export"}
    settings = SimpleNamespace(**{f"{name}_location": f"file:{events}{path}" for name, path in locations.items()})
    erasure = Erasure(spark, cast(Settings, settings), Players(("Ada", "Jürgen")))
    assert not Erasure(spark, cast(Settings, settings), Players(("nobody",))).search().found

    printed = erasure.rewrite_rows(erasure.search().spellings)

    assert printed == "6 erased, 3 of other players without the name in target or host"
    after = {row.kafka_offset: row.asDict() for row in spark.table(EVENTS).collect()}
    kept = ("received_at", "kafka_partition", "kafka_offset", "kafka_timestamp")
    for offset, case in enumerate(cases):
        expected = dict(before[offset])
        if case in ERASED:
            expected = dict.fromkeys(expected) | {name: expected[name] for name in kept} | {"family": "erased"}
        if case in ("target", "both"):
            expected |= {"target": None, "target_name": None}
        if case in ("host", "both"):
            expected |= {"host": None}
        assert after[offset] == expected, case
    assert before[cases.index("target")]["target"]
    assert before[cases.index("host")]["host"]
