"""The SDK for browsers in a real browser, over the real servers; /play reports with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.chromium import driven
from tests.local.game import Game
from tests.local.lake import Lake

UNREACHABLE = "window.fetch = () => Promise.reject(new TypeError('unreachable'))"
"""Lets no request of the page through."""
LOSE_RESPONSES = """const real = window.fetch;
window.fetch = async (...request) => {
  await real(...request);
  if (request[1].method === "POST") throw new TypeError("lost");
  return new Response();
}"""
"""Lets requests through, and loses the responses to those that write."""
STORED = """const name = (await indexedDB.databases()).map(({ name }) => name).find((one) => one.endsWith(player));
if (!name) return null;
const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
const database = await done(indexedDB.open(name));
const stores = [...database.objectStoreNames];
const kept = await Promise.all(stores.map((one) => done(database.transaction(one).objectStore(one).getAll())));
database.close();
return kept.flat();"""


class Tab:
    """A client in the browser's current tab, and what the topic has of its player."""

    def __init__(self, driver: Chrome, game: Game, player: str) -> None:
        self.driver = driver
        self.player = player
        self._game = game
        self._begin = game.ends()

    def open(self, **options: Any) -> "Tab":  # noqa: ANN401 what the client takes
        """Load a new page, with a client of this player."""
        self.driver.get(f"{self._game.url}/play")
        return self.client(**options)

    def client(self, **options: Any) -> "Tab":  # noqa: ANN401 what the client takes
        self.run(
            """const { GameClient } = await import("/static/game-client.js");
            const { ahead = 0, ...others } = options;
            const clock = () => Date.now() + ahead;
            window.client = new GameClient({ player, clock, batchSeconds: .2, firstRetrySeconds: .1, ...others });
            await client.hasConsent();""",
            options,
        )
        return self

    def run(self, code: str, options: object = None) -> Any:  # noqa: ANN401 what JavaScript returns
        """Run code that may wait, which knows the `player` and the `options`; return its value."""
        answer = self.driver.execute_async_script(
            f"""const [player, options, answer] = arguments;
            const work = async () => {{ {code} }};
            work().then((value) => answer({{ value }}), (error) => answer({{ error: `${{error}}` }}));""",
            self.player,
            options,
        )
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def consent(self) -> "Tab":
        self.run("await client.consent(true)")
        return self

    def record(self, count: int = 1) -> list[str]:
        """Record events; return their ids."""
        return list(
            self.run("return Promise.all(Array.from({ length: options }, () => client.record('default')))", count)
        )

    def flush(self) -> bool:
        return bool(self.run("return client.flush(20)"))

    def waiting(self) -> int:
        return int(self.run("return client.waiting()"))

    def dropped(self) -> list[list[Any]]:
        return [[one["first"], one["last"], one["reason"]] for one in self.run("return client.dropped()")]

    def stored(self) -> Any:  # noqa: ANN401 what IndexedDB has
        """Return what the browser keeps for the player; None without a database."""
        return self.run(STORED)

    def events(self) -> list[dict[str, Any]]:
        """The player's events in the topic."""
        ends = self._game.ends()
        places = [
            (partition, offset) for partition, end in ends.items() for offset in range(self._begin[partition], end)
        ]
        events = [self._game.record(*place)[1] for place in places]
        return [event for event in events if event["player"] == self.player]

    def ids(self) -> list[str]:
        return [event["event_id"] for event in self.events()]

    @contextmanager
    def another(self) -> Iterator[None]:
        """Do the block in another tab, and close that."""
        first = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        try:
            yield
        finally:
            self.driver.close()
            self.driver.switch_to.window(first)


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    with driven() as driver:
        driver.set_script_timeout(60)
        yield driver


@pytest.fixture
def tab(stack: Stack, driver: Chrome, request: pytest.FixtureRequest) -> Tab:
    """A tab whose player is named like the test."""
    return Tab(driver, Game(stack), request.node.name.replace("_", "-"))


def test_nothing_is_stored_before_consent(tab: Tab) -> None:
    """Before the consent a recorded event is not taken, and there is no database."""
    assert tab.open().record() == [None]
    assert tab.flush()
    assert tab.stored() is None
    assert tab.events() == []


def test_an_event_says_where_it_is_from(tab: Tab) -> None:
    """An event has its device, session, number and times, and the context of the client and its own."""
    tab.open(context={"platform": "web", "app_version": "1"}).consent()
    tab.run("await client.record('default', { properties: { deed: 'duel' }, app_version: '2' })")
    tab.record()
    assert tab.flush()
    first, second = sorted(tab.events(), key=lambda event: event["sequence"])
    assert (first["platform"], first["app_version"], second["app_version"]) == ("web", "2", "1")
    assert first["properties"] == {"deed": "duel"}
    assert [first["sequence"], second["sequence"]] == [0, 1]
    for name in ("session_id", "device_id"):
        assert len(first[name]) == 36
        assert first[name] == second[name]
    assert first["occurred_at"] <= first["sent_at"]


def test_events_survive_a_reload_and_a_closed_tab(tab: Tab) -> None:
    """Events that could not be sent are sent by the next page of the player, each once and in a session of its page."""
    tab.open().consent().run(UNREACHABLE)
    recorded = tab.record(2)
    with tab.another():
        tab.open().run(UNREACHABLE)
        recorded += tab.record(2)
    assert tab.events() == []
    recorded += tab.open().record()
    assert tab.flush()
    events = tab.events()
    assert sorted(event["event_id"] for event in events) == sorted(recorded)
    assert sorted(event["sequence"] for event in events) == [0, 0, 0, 1, 1]
    assert len({event["session_id"] for event in events}) == 3
    assert len({event["device_id"] for event in events}) == 1


def test_offline_events_are_sent_when_the_network_is_back(tab: Tab) -> None:
    """What is recorded offline waits, and is sent without a call when the browser is online again."""
    tab.open().consent()
    conditions = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    tab.driver.execute_cdp_cmd("Network.enable", {})
    tab.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)
    try:
        recorded = tab.record(2)
        assert not tab.run("return client.flush(.5)")
        assert tab.waiting() == 2
    finally:
        tab.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions | {"offline": False})
    wait_until("an empty queue", lambda: tab.waiting() == 0)
    assert sorted(tab.ids()) == sorted(recorded)


def test_two_tabs_send_each_event_once(tab: Tab) -> None:
    """Tabs share the queue and the device, and send no event twice while they send at the same time."""
    first = tab.driver.current_window_handle
    tab.open(batchEvents=5).consent()
    record_many = "window.recorded = Promise.all(Array.from({ length: 20 }, () => client.record('default')))"
    with tab.another():
        tab.open(batchEvents=5).run(record_many)
        second = tab.driver.current_window_handle
        tab.driver.switch_to.window(first)
        tab.run(record_many)
        recorded = tab.run("return recorded")
        tab.driver.switch_to.window(second)
        recorded += tab.run("return recorded")
        assert tab.flush()
        events = tab.events()
    assert sorted(event["event_id"] for event in events) == sorted(recorded)
    assert len({event["device_id"] for event in events}) == 1
    assert sorted(event["sequence"] for event in events) == sorted(2 * [*range(20)])


def test_a_lost_response_is_retried_and_counts_once(tab: Tab, lake: Lake) -> None:
    """An event whose response was lost is sent again under its id: two records, and one row of the view."""
    tab.open().consent().run(LOSE_RESPONSES)
    [recorded] = tab.record()
    wait_until("the first record", tab.ids)
    assert tab.open().flush()
    assert tab.dropped() == []
    assert set(tab.ids()) == {recorded}
    assert len(tab.ids()) > 1
    lake.job("batch.py", "load")
    query = f"SELECT event_id FROM visits WHERE player = '{tab.player}'"
    assert lake.ask(query) == [[recorded]]


def test_an_event_is_in_doubt_for_23_hours(tab: Tab) -> None:
    """What an attempt may have written is dropped after 23 hours; what no attempt can have written is not."""
    tab.open().consent().run(LOSE_RESPONSES)
    [doubtful] = tab.record()
    wait_until("the record", tab.ids)
    tab.open().run(UNREACHABLE)
    tab.run("await client.flush(.5)")
    [certain] = tab.record()
    tab.run("await client.flush(1)")
    tab.open(ahead=24 * 3_600_000)
    assert tab.flush()
    assert tab.dropped() == [[0, 0, "in-doubt"]]
    assert tab.ids()[-1] == certain
    assert set(tab.ids()) == {doubtful, certain}


def test_a_page_that_is_left_sends_its_events(tab: Tab) -> None:
    """An event that is recorded while the page is left arrives without another page of the player."""
    tab.open(batchSeconds=60).consent()
    tab.driver.execute_script("client.record('default'); location.href = '/healthz'")
    wait_until("the event", lambda: len(tab.ids()) == 1)


def test_a_withdrawn_consent_deletes(tab: Tab) -> None:
    """After a withdrawal, in any tab, nothing of the player is kept; a new consent has a new device."""
    tab.open().consent().run(UNREACHABLE)
    tab.record(3)
    device = next(one["device_id"] for one in tab.stored() if "device_id" in one)
    first = tab.driver.current_window_handle
    with tab.another():
        tab.open().run("await client.consent(false)")
        assert tab.stored() == []
        second = tab.driver.current_window_handle
        tab.driver.switch_to.window(first)
        assert tab.record() == [None]
        assert tab.waiting() == 0
        tab.driver.switch_to.window(second)
        tab.consent()
        [recorded] = tab.record()
        assert tab.flush()
    [event] = tab.events()
    assert event["event_id"] == recorded
    assert event["device_id"] != device
    assert event["sequence"] == 0


def test_a_full_queue_says_what_it_dropped(tab: Tab) -> None:
    """Beyond its limit the queue takes no event, and lists their numbers, also after a reload."""
    tab.open(mostEvents=2).consent().run(UNREACHABLE)
    assert tab.record(5)[2:] == [None, None, None]
    assert tab.open().dropped() == [[2, 4, "queue-full"]]
    assert tab.run("return client.droppedEvents()") == 3
    assert tab.flush()
    assert sorted(event["sequence"] for event in tab.events()) == [0, 1]


def test_an_event_that_the_api_refuses_is_dropped(tab: Tab) -> None:
    """Of a batch, the valid events are written, and each invalid one is listed with the field that is wrong."""
    tab.open(batchSeconds=60).consent()
    tab.run("for (const fields of [{}, { nonsense: 1 }, {}]) await client.record('default', fields)")
    assert tab.flush()
    assert sorted(event["sequence"] for event in tab.events()) == [0, 2]
    assert tab.dropped() == [[1, 1, "invalid"]]
    assert "nonsense" in tab.run("return client.dropped()")[0]["detail"]


@pytest.mark.parametrize("fields", ["{ sequence: 1 }", "{ strength: NaN }", "{ properties: { x: 'x'.repeat(70000) } }"])
def test_an_event_that_cannot_be_sent_is_an_error(tab: Tab, fields: str) -> None:
    """A field that the client makes, a value that is not JSON, or too large an event: it takes no number."""
    tab.player = "careless"
    tab.open().consent()
    error = tab.run(f"return client.record('default', {fields}).catch((error) => error.constructor.name)")
    assert error == "InvalidEventError"
    tab.record()
    assert tab.flush()
    assert [event["sequence"] for event in tab.events()] == [0]


def test_a_busy_service_is_given_time(tab: Tab) -> None:
    """After a 503, the next attempt waits for Retry-After; refused events are not in doubt."""
    tab.open().consent().run(
        """const real = window.fetch;
        window.attempts = [];
        window.fetch = (path, request) => {
          if (request.method !== "POST") return real(path, request);
          attempts.push(performance.now());
          if (attempts.length > 1) return real(path, request);
          return Promise.resolve(new Response("{}", { status: 503,
            headers: { "Retry-After": "1", "Event-Outcome": "refused" } }));
        }"""
    )
    tab.record()
    wait_until("the first attempt", lambda: tab.run("return attempts.length"))
    assert not any("doubt" in one or one.get("leaving") for one in tab.stored())
    assert tab.flush()
    first, second = tab.run("return attempts")
    assert second - first >= 1000
    assert len(tab.ids()) == 1


def test_the_page_reports_deeds_with_consent(tab: Tab) -> None:
    """Reports are off at first; with them on, focus on a deed's form is an event that names the deed; off deletes."""
    tab.player = "reporting-rita"
    tab.open()
    find = tab.driver.find_element
    if find(By.ID, "leave").is_displayed():
        find(By.CSS_SELECTOR, "#leave button").click()
    wait_until("the gate", find(By.ID, "name").is_displayed)
    assert not find(By.ID, "reports").is_displayed()
    find(By.ID, "name").clear()
    find(By.ID, "name").send_keys(f"{tab.player}\n")
    wait_until("the deeds", lambda: tab.driver.find_elements(By.CSS_SELECTOR, "#families form"))
    field = "document.querySelector('[data-deed=join_guild] input').focus()"
    open_all = (
        "for (const one of document.querySelectorAll('details')) { one.removeAttribute('name'); one.open = true; }"
    )
    tab.driver.execute_script(open_all)
    tab.driver.execute_script(field)
    assert not find(By.ID, "report").is_selected()
    assert tab.stored() is None
    tab.driver.execute_script("document.querySelector('#report').click()")
    wait_until("the consent", lambda: tab.stored() is not None)
    tab.driver.execute_script("document.querySelector('[data-deed=found_guild] input').focus()")
    wait_until("the report", tab.ids)
    [report] = tab.events()
    assert (report["event_type"], report["properties"]) == ("default", {"deed": "found_guild"})
    tab.driver.execute_script("document.querySelector('#report').click()")
    wait_until("no trace", lambda: tab.stored() == [])
