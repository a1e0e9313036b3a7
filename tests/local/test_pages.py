"""The game's page in a real browser, over the real servers."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.chromium import driven
from tests.local.lake import Lake

HOSTILE_PLAYER = "<img src=x onerror=document.title='pwned'>"
HOSTILE_GUILD = "'; DROP TABLE events; --"


class Page:
    """The page in one window, as somebody uses it who sees it."""

    def __init__(self, driver: Chrome, url: str) -> None:
        self.driver = driver
        self.url = url
        driver.get(f"{url}/play")

    def enter(self, name: str) -> "Page":
        """Sign in, as somebody else if need be."""
        if self.text("#leave"):
            self.click(self.one("#leave button"))
        wait_until("the gate", lambda: self.one("#name").is_displayed(), 10)
        self.one("#name").clear()
        self.one("#name").send_keys(name, Keys.ENTER)
        wait_until("the hero", lambda: self.text("#hero-name") == name, 10)
        wait_until("the deeds", lambda: self.script("return document.querySelector('#families').children.length"), 10)
        return self

    def deed(self, title: str, **parameters: str) -> WebElement:
        """Open a deed's family and fill in its form; return its button."""
        form = self.driver.find_element(By.XPATH, f'//form[@aria-label="{title}"]')
        if not form.is_displayed():
            self.click(form.find_element(By.XPATH, "ancestor::details/summary"))
        for name, value in parameters.items():
            field = form.find_element(By.NAME, name)
            field.clear()
            field.send_keys(value)
        button = form.find_element(By.TAG_NAME, "button")
        self.to_the_middle(button)
        return button

    def do(self, title: str, **parameters: str) -> str:
        """Click a deed; return what is answered."""
        self.script("document.querySelector('#answer').textContent = ''")
        self.deed(title, **parameters).click()
        return wait_until("an answer", lambda: self.text("#answer"), 15)

    def click(self, element: WebElement) -> None:
        self.to_the_middle(element)
        element.click()

    def to_the_middle(self, element: WebElement) -> None:
        """Scroll, as one does to whom the herald's bar is in the way."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.one(selector).text

    def script(self, code: str) -> Any:  # noqa: ANN401 what JavaScript returns
        return self.driver.execute_script(code)

    def has_told(self, text: str) -> bool:
        return text in self.text("#feed")

    def hero(self, name: str) -> dict[str, Any]:
        return dict(requests.get(f"{self.url}/heroes/{name}", timeout=10).json())


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    with driven() as driver:
        yield driver


@pytest.fixture
def page(stack: Stack, driver: Chrome) -> Page:
    return Page(driver, stack.settings.api_url)


def test_a_click_is_a_row(page: Page, lake: Lake) -> None:
    """Who signs in and buys a sword is told so, has it, and Trino has the row."""
    page.enter("wat tyler")
    assert page.text("#hero-rank") == "Nobody has heard of you yet"
    assert page.do("Purchase a sword") == "Sword Purchased!"
    wait_until("the sword", lambda: "sword" in page.text("#hero-items"), 10)
    wait_until("the news", lambda: page.has_told("wat tyler: Sword Purchased!"), 10)
    lake.job("batch.py", "load")
    query = "SELECT event_type, description, cast(strength AS integer) FROM purchases WHERE player = 'wat tyler'"
    assert lake.ask(query) == [["purchase_sword", "large sword", page.hero("wat tyler")["power"]]]


def test_what_players_write_stays_text(page: Page) -> None:
    """A name that is HTML and a guild that is SQL are shown as they are, and nothing of them runs."""
    page.enter(HOSTILE_PLAYER[::-1])
    page.do("Pray")
    page.enter(HOSTILE_PLAYER)
    assert page.do("Found a guild", guild=HOSTILE_GUILD) == f"You founded {HOSTILE_GUILD}."
    page.do("Declare a war", target=HOSTILE_PLAYER[::-1])
    wait_until("the news", lambda: page.has_told(f"{HOSTILE_PLAYER}: You founded {HOSTILE_GUILD}."), 10)
    wait_until("the guild", lambda: HOSTILE_GUILD in page.text("#hero-rank"), 10)
    wait_until("the wars", lambda: HOSTILE_PLAYER in cells(page), 10)
    assert page.driver.title == f"{HOSTILE_PLAYER} plays gamelake"
    assert page.script("return document.images.length") == 0
    assert not [entry for entry in page.driver.get_log("browser") if "Content Security Policy" in entry["message"]]


def cells(page: Page) -> list[str]:
    return list(page.script("return [...document.querySelectorAll('#boards td')].map((cell) => cell.textContent)"))


@pytest.mark.parametrize("name", ["Zoë 王", "a/b", "/", "50%", "q?x#y&z+1"])
def test_names_of_all_kinds(page: Page, name: str) -> None:
    """Whatever is in a name, the deed and the look at the hero are the same player's."""
    page.enter(name)
    assert page.do("Pray") == "A light falls on you."
    wait_until("the hero", lambda: page.text("#hero-rank") == "Level 1, of no guild", 10)
    wait_until("the news", lambda: page.has_told(f"{name}: A light falls on you."), 10)


@pytest.mark.parametrize("name", ["a,b", "..", "   "])
def test_names_that_cannot_be(page: Page, name: str) -> None:
    """What no header or address can carry is refused before anything is sent."""
    page.enter("somebody")
    page.click(page.one("#leave button"))
    page.one("#name").clear()
    page.one("#name").send_keys(name, Keys.ENTER)
    assert page.script("return document.querySelector('#name').validationMessage")
    assert page.one("#gate").is_displayed()


def test_a_double_click_is_one_event(page: Page) -> None:
    """Two clicks on a button are one request: before the prayer that follows there is one sword."""
    page.enter("double dan")
    ActionChains(page.driver).double_click(page.deed("Purchase a sword")).perform()
    wait_until("the sword", lambda: page.has_told("double dan: Sword Purchased!"), 10)
    page.do("Pray")
    wait_until("the prayer", lambda: page.has_told("double dan: A light falls on you."), 10)
    assert page.text("#feed").count("double dan: Sword Purchased!") == 1
    assert page.hero("double dan")["items"] == {"sword": 1}


def test_a_lost_answer_is_asked_for_again(page: Page) -> None:
    """When no answer comes, the next click asks under the same key, and it has happened once."""
    page.enter("unlucky luke")
    page.script(
        """const real = window.fetch;
        window.fetch = async (path, options) => {
          const answer = await real(path, options);
          if (options.method !== "POST") return answer;
          window.fetch = real;
          throw new TypeError("lost");
        };"""
    )
    assert page.do("Purchase an axe").startswith("No answer came.")
    button = page.deed("Purchase an axe")
    wait_until("the button", button.is_enabled, 5)
    assert page.do("Purchase an axe") == "Axe Purchased!"
    assert page.hero("unlucky luke")["items"] == {"axe": 1}


def test_a_refusal_is_told(page: Page) -> None:
    """What the rules forbid is answered with the reason, and is not in the chronicle."""
    page.enter("poor paul")
    assert page.do("Purchase a castle") == "Refused: You have 100 gold, and a castle costs 500."
    assert not page.has_told("poor paul")


def test_two_windows_see_each_other(page: Page) -> None:
    """What one player does is told in the other's window within seconds."""
    page.enter("anne")
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("window")
    try:
        second = Page(page.driver, page.url).enter("bert")
        second.do("Purchase a shield")
        wait_until("bert's own", lambda: second.has_told("bert: Shield Purchased!"), 10)
        page.driver.switch_to.window(first)
        wait_until("bert's shield", lambda: page.has_told("bert: Shield Purchased!"), 10)
        assert page.text("#hero-name") == "anne"
        page.do("Pray")
        page.driver.switch_to.window(page.driver.window_handles[-1])
        wait_until("anne's prayer", lambda: second.has_told("anne: A light falls on you."), 10)
        page.driver.close()
    finally:
        page.driver.switch_to.window(first)


def test_it_tells_when_the_server_is_away(page: Page) -> None:
    """While it cannot be reached there is a notice, and it goes when the server is back."""
    page.enter("patient pat")
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    wait_until("the notice", lambda: "cannot be reached" in page.text("#notice"), 10)
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline | {"offline": False})
    wait_until("no notice", lambda: not page.text("#notice"), 10)


def test_a_phone_scrolls_down_only(page: Page) -> None:
    """At 390 pixels nothing is wider than the screen: neither a long name, nor any deed."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.enter("w" * 200)
        page.do("Pray")
        for _ in page.driver.find_elements(By.CSS_SELECTOR, "#families > details"):
            page.script(
                "document.querySelector('#families > details:not([open], [data-seen])')?.setAttribute('open', '')"
            )
            page.script("document.querySelector('#families > details[open]').dataset.seen = ''")
            assert page.script("return document.documentElement.scrollWidth") <= 390
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_is_accessible(page: Page) -> None:
    """It has a language, one main heading and a main part; every input is labelled, every button large and named."""
    page.enter("kay")
    assert page.script("return document.documentElement.lang") == "en"
    for selector in ("h1", "main", "header", "[aria-live]"):
        assert page.script(f"return document.querySelectorAll('{selector}').length") == 1, selector
    page.script("for (const one of document.querySelectorAll('details')) one.removeAttribute('name')")
    page.script("for (const one of document.querySelectorAll('details')) one.open = true")
    unlabelled = (
        "return [...document.querySelectorAll('input')].filter((one) => !one.labels.length).map((one) => one.id)"
    )
    assert page.script(unlabelled) == []
    small = """return [...document.querySelectorAll('button, summary')]
        .filter((one) => one.checkVisibility() && (one.offsetHeight < 44 || !one.textContent.trim()))
        .map((one) => one.textContent)"""
    assert page.script(small) == []
    ids = page.script("return [...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))


def test_it_is_played_by_keyboard(page: Page) -> None:
    """With Tab and Enter alone one gets from a deed's field to its button, and the focus is still there after it."""
    page.enter("tabitha")
    button = page.deed("Join a guild", guild="Owls")
    page.driver.switch_to.active_element.send_keys(Keys.TAB)
    assert page.driver.switch_to.active_element == button
    button.send_keys(Keys.ENTER)
    wait_until("the guild", lambda: page.text("#hero-rank") == "Level 1, of Owls", 10)
    wait_until("the button", button.is_enabled, 5)
    assert page.driver.switch_to.active_element == button
