"""The dashboard over the real servers: correct numbers, an unavailable Trino, and a real browser."""

from collections import Counter
from collections.abc import Iterator
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
import requests
from game_events.rules import START
from game_kafka.settings import KafkaSettings
from game_kafka.topic import Topic
from game_world.backfill import Backfill
from game_world.capacity import Capacity
from game_world.events_table import EventsTable, asking
from game_world.store import Store, key
from testbed.clients.topic import end_offsets
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.chromium import Chromium
from tests.local.lake import Lake
from tests.world_state import stored

Rows = list[dict[str, Any]]

RICH, POOR = "midas", "croesus <b>once</b>"
PATRONS = 40
SENT_THRICE = str(uuid4())
"""The key of a request that is sent three times."""
FLIGHT = '{"event_type": "fly", "description": "' + "x" * 500 + '"}'
"""An unknown event type."""


class Dashboard:
    """The page's data, as a browser requests it."""

    def __init__(self, stack: Stack) -> None:
        self.url = f"{stack.settings.admin_url}/dashboard"
        # One connection stays with one worker, and so with one cache.
        self._session = requests.Session()

    def data(self) -> dict[str, Any]:
        answer = self._session.get(f"{self.url}/data", timeout=60)
        assert answer.status_code == 200
        return dict(answer.json())

    def results_since(self, moment: float) -> dict[str, Rows]:
        """Wait until each query has run after this moment; return their rows."""

        def asked() -> dict[str, Rows] | None:
            queries = self.data()["queries"]
            known = all((query["asked_at"] or 0) > moment for query in queries.values())
            return {name: query["rows"] for name, query in queries.items()} if known else None

        return wait_until("new results", asked)


@pytest.fixture(scope="module")
def dashboard(stack: Stack) -> Dashboard:
    return Dashboard(stack)


@pytest.fixture(scope="module")
def store(stack: Stack) -> Store:
    return Store(stack.settings.store_url)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium.opened() as chromium:
        yield chromium


def do(stack: Stack, player: str, request: str, key: str = "", **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
    """Send a player's request; return the response."""
    headers = {"X-Player": player, "Accept": "application/json"} | ({"Idempotency-Key": key} if key else {})
    answer = requests.post(stack.settings.api_url + request, params=parameters, headers=headers, timeout=60)
    answer.raise_for_status()
    return dict(answer.json())


def loaded(lake: Lake, dashboard: Dashboard) -> dict[str, Rows]:
    """Load the topic into the table; return the query results of afterwards."""
    lake.job("batch.py", "load")
    return dashboard.results_since(dashboard.data()["now"])


def bought(rows: Rows) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["event_type"]] += row["number"]
    return sums


def at_war(rows: Rows) -> set[tuple[str, str]]:
    return {(row["player"], row["target"]) for row in rows}


@pytest.fixture(scope="module")
def before(lake: Lake, dashboard: Dashboard) -> dict[str, Rows]:
    """The query results before the requests. They include other tests' rows."""
    return loaded(lake, dashboard)


@pytest.fixture(scope="module")
def after(stack: Stack, lake: Lake, dashboard: Dashboard, before: dict[str, Rows]) -> dict[str, Rows]:
    """The query results after several players' actions and a record that is not a valid event."""
    for _ in range(3):
        do(stack, RICH, "/purchase_a_sword", SENT_THRICE)
    for request in ("/purchase_a_sword", "/purchase_a_bow", "/explore"):
        do(stack, RICH, request)
    do(stack, POOR, "/purchase_an_axe")
    for number in range(PATRONS):
        do(stack, f"patron{number}", "/pay_tribute", target=RICH, amount=100)
    do(stack, RICH, "/propose_an_alliance", target=POOR)
    do(stack, POOR, "/declare_a_war", target=RICH)
    lake.write([FLIGHT.encode()])
    return loaded(lake, dashboard)


def test_purchases_are_counted_once_each(before: dict[str, Rows], after: dict[str, Rows]) -> None:
    """The counts grow by the purchases made; the one sent three times under its key counts once."""
    assert bought(after["purchases"]) - bought(before["purchases"]) == Counter(
        purchase_sword=2, purchase_bow=1, purchase_axe=1
    )


def test_the_world_is_in_the_table(stack: Stack, store: Store, after: dict[str, Rows]) -> None:
    """Through Trino the world gets the same players from the table alone, as if Kafka had dropped every record."""
    there = Store(f"{stack.settings.store_url}/1")
    topic_id = Topic(KafkaSettings(stack.settings.bootstrap_servers, stack.settings.topic)).describe().id
    there.claim(topic_id)
    held = {partition: range(end, end) for partition, end in end_offsets(stack.settings).items()}
    Backfill(there, EventsTable(asking(stack.settings.trino("world"))), Capacity(there)).run(topic_id, held, Event())
    names = {f"hero:{name}" for name in (RICH, POOR, *(f"patron{number}" for number in range(PATRONS)))}
    wanted, found = stored(store), stored(there)
    there.redis.flushdb()
    assert {name: found[name] for name in names} == {name: wanted[name] for name in names}


def test_a_receipt_says_where_an_event_is(stack: Stack, after: dict[str, Rows]) -> None:
    """Every attempt is a row, with its place and the snapshot; an event that is not loaded yet is in Kafka only."""

    def receipt(player: str, event_id: str) -> dict[str, Any]:
        url = f"{stack.settings.api_url}/v1/events/{event_id}"
        return dict(requests.get(url, headers={"X-Player": player}, timeout=60).json())

    table = receipt(RICH, SENT_THRICE)["table"]
    assert table["state"] == "stored"
    assert int(table["snapshot"]) > 0
    assert [record["event_type"] for record in table["records"]] == 3 * ["purchase_sword"]
    assert len({(record["partition"], record["offset"]) for record in table["records"]}) == 3
    assert receipt(POOR, SENT_THRICE)["table"] == {"state": "absent"}

    # Others are compared with the world as it was loaded.
    surveyor, key = "surveyor", str(uuid4())
    headers = {"X-Player": surveyor, "Idempotency-Key": key}
    acked = requests.post(f"{stack.settings.api_url}/v1/actions/explore", headers=headers, timeout=60).json()
    place = {"event_type": "explore", "partition": acked["partition"], "offset": acked["offset"]}
    known = wait_until("the place in Kafka", lambda: receipt(surveyor, key)["kafka"].get("records"))
    assert known == [place]
    assert receipt(surveyor, key)["table"] == {"state": "absent"}
    without_a_key = requests.post(
        f"{stack.settings.api_url}/v1/actions/default", headers={"X-Player": surveyor}, timeout=60
    )
    assert receipt(surveyor, without_a_key.json()["event_id"])["table"] == {"state": "absent"}


def test_the_last_hour_counts_them_too(before: dict[str, Rows], after: dict[str, Rows]) -> None:
    """The counts of each family grow by its events, and those of `rejected` by one."""

    def lately(rows: Rows, family: str) -> int:
        return sum(row["number"] for row in rows if row["family"] == family)

    for family, more in (("purchases", 4), ("diplomacy", PATRONS + 1), ("declarations", 1), ("rejected", 1)):
        assert lately(after["activity"], family) - lately(before["activity"], family) == more


def test_the_ranks_are_the_worlds(after: dict[str, Rows], store: Store) -> None:
    """A player is listed with the same gold, experience and power as in the world's store."""
    [rich] = [row for row in after["players"] if row["player"] == RICH]
    hero = store.redis.hgetall(key(f"hero:{RICH}"))
    assert rich["gold"] >= START["gold"] + 100 * PATRONS - 15
    for name in ("gold", "experience", "power"):
        assert rich[name] == int(hero.get(name, START[name])), name
    for rank, value in (("by_gold", "gold"), ("by_power", "power")):
        ranked = [row[value] for row in sorted(after["players"], key=lambda row: row[rank]) if row[rank] <= 10]
        assert ranked == sorted(ranked, reverse=True)


def test_a_rejected_record_is_listed(after: dict[str, Rows]) -> None:
    """The newest rejected record comes first, with its error and its shortened text."""
    newest = after["rejected"][0]
    assert newest["error"].startswith("event_type: expected one of")
    assert newest["text"] == FLIGHT[:200]


def test_the_table_is_not_behind(after: dict[str, Rows]) -> None:
    """After a load, the table's newest offsets are the last ones that the world knows."""
    assert after["freshness"]
    assert all(row["newest_offset"] == row["next_offset"] - 1 for row in after["freshness"] if row["next_offset"])


def test_rollups_change_no_result(lake: Lake, dashboard: Dashboard, after: dict[str, Rows]) -> None:
    """Once maintenance has added up what is decided, the same is shown."""
    lake.job("maintain.py")
    since = dashboard.results_since(dashboard.data()["now"])
    names = ("purchases", "wars", "players", "rejected")
    assert [since[name] for name in names] == [after[name] for name in names]
    pinned = "SELECT count(*) FROM system.runtime.queries WHERE query LIKE '%lake.default.rollups FOR VERSION%'"
    assert lake.ask(f"{pinned} AND state = 'FINISHED'")[0][0] >= 3


def test_the_page_draws_the_results(chromium: Chromium, dashboard: Dashboard, after: dict[str, Rows]) -> None:
    """In a browser every plot has its data, names are text, and there are no errors and no overflow."""
    chromium.open(dashboard.url, width=1280)
    wait_until("the plots", lambda: chromium.count("#activity .plot rect.bar") and chromium.texts("#rejected td"))
    assert chromium.count("#purchases .plot svg") == len(bought(after["purchases"]))
    assert chromium.count("#richest .plot svg rect") == chromium.count("#strongest .plot svg rect") == 10
    assert RICH in chromium.texts("#richest .name")
    assert POOR in chromium.texts("#wars td")
    assert chromium.count("#wars b") == 0
    assert "purchases" in " ".join(chromium.texts("#activity .legend li"))
    assert chromium.texts("#banners p") == []
    chromium.open(dashboard.url, width=390)
    wait_until("the plots", lambda: chromium.count("#activity .plot rect.bar") and chromium.texts("#rejected td"))
    assert chromium.overflow() <= 0
    assert chromium.console() == []


def test_peace_ends_a_war(stack: Stack, lake: Lake, dashboard: Dashboard, after: dict[str, Rows]) -> None:
    """Two players are at war until peace is declared; the other one's alliance is not a war."""
    assert (POOR, RICH) in at_war(after["wars"])
    assert (RICH, POOR) not in at_war(after["wars"])
    do(stack, POOR, "/declare_peace", target=RICH)
    assert (POOR, RICH) not in at_war(loaded(lake, dashboard)["wars"])


def test_without_trino_the_last_results_stay(
    stack: Stack, dashboard: Dashboard, chromium: Chromium, after: dict[str, Rows]
) -> None:
    """While Trino is unavailable, the page shows that and the last results; then it recovers."""
    chromium.open(dashboard.url, width=1280)
    wait_until("the plots", lambda: chromium.count("#activity .plot rect.bar"))
    known = dashboard.data()
    stack["trino"].stop()
    try:
        away = wait_until("what is wrong", lambda: dashboard.data()["away"])
        assert away["since"] >= known["now"]
        # The first query may have been interrupted.
        wait_until("the cause", lambda: dashboard.data()["away"]["problem"] == "connection refused")
        assert dashboard.data()["away"]["since"] == away["since"]
        queries = dashboard.data()["queries"]
        assert queries["purchases"]["rows"] == known["queries"]["purchases"]["rows"] != []
        [banner] = wait_until("the banner", lambda: chromium.texts("#banners p"))
        assert banner.startswith("Trino has been unavailable since")
        assert chromium.count("#activity .plot rect.bar") > 0
    finally:
        stack.up(["trino"])
    wait_until("a result", lambda: dashboard.data()["away"] is None)
    wait_until("no banner", lambda: chromium.texts("#banners p") == [])
