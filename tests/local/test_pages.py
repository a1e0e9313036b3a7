"""The game's page in a real browser, over the real servers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from game_api.identity.player_tokens import new_secret
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.chromium import driven
from tests.local.game import Game
from tests.local.lake import Lake
from tests.unit.game_api.identity.provider import write

HOSTILE_PLAYER = "<img src=x onerror=document.title='pwned'>"
HOSTILE_GUILD = "'; DROP TABLE events; --"


class Page:
    """The page in one window, used through what is visible."""

    def __init__(self, driver: Chrome, url: str) -> None:
        self.driver = driver
        self.url = url
        driver.get(f"{url}/play")

    def enter(self, name: str) -> "Page":
        """Sign in, after signing out if necessary."""
        if self.text("#leave"):
            self.click(self.one("#leave button"))
        wait_until("the gate", lambda: self.one("#name").is_displayed())
        self.one("#name").clear()
        self.one("#name").send_keys(name, Keys.ENTER)
        wait_until("the hero", lambda: self.text("#hero-name") == name)
        wait_until("the deeds", lambda: self.script("return document.querySelector('#families').children.length"))
        return self

    def deed(self, title: str, **parameters: str) -> WebElement:
        """Open a deed's family and fill in the form; return its button."""
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
        """Click a deed; return the answer."""
        self.script("document.querySelector('#answer').textContent = ''")
        self.deed(title, **parameters).click()
        return wait_until("an answer", lambda: self.text("#answer"))

    def click(self, element: WebElement) -> None:
        self.to_the_middle(element)
        element.click()

    def to_the_middle(self, element: WebElement) -> None:
        """Scroll the element to the middle, where the herald's bar does not cover it."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.one(selector).text

    def script(self, code: str) -> Any:  # noqa: ANN401 what JavaScript returns
        return self.driver.execute_script(code)

    def feed_has(self, text: str) -> bool:
        return text in self.text("#feed")

    def hero(self, name: str) -> dict[str, Any]:
        return dict(requests.get(f"{self.url}/heroes/{name}", timeout=60).json())


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    with driven() as driver:
        yield driver


@pytest.fixture
def page(stack: Stack, driver: Chrome) -> Page:
    return Page(driver, stack.settings.api_url)


def test_a_click_is_a_row(page: Page, lake: Lake) -> None:
    """A player who signs in and buys a sword sees the answer and the sword, and Trino has the row."""
    page.enter("wat tyler")
    assert page.text("#hero-rank") == "Nobody has heard of you yet"
    assert page.do("Purchase a sword") == "Sword Purchased!"
    wait_until("the sword", lambda: "sword" in page.text("#hero-items"))
    wait_until("the news", lambda: page.feed_has("wat tyler: Sword Purchased!"))
    lake.job("batch.py", "load")
    query = "SELECT event_type, description, strength BETWEEN 0 AND 10 FROM purchases WHERE player = 'wat tyler'"
    assert lake.ask(query) == [["purchase_sword", "large sword", True]]
    assert page.hero("wat tyler")["items"] == {"sword": 1}


def test_players_text_stays_text(page: Page) -> None:
    """A name that is HTML and a guild that is SQL are shown literally, and nothing is executed."""
    page.enter(HOSTILE_PLAYER[::-1])
    page.do("Pray")
    page.enter(HOSTILE_PLAYER)
    assert page.do("Found a guild", guild=HOSTILE_GUILD) == f"You founded {HOSTILE_GUILD}."
    page.do("Declare a war", target=HOSTILE_PLAYER[::-1])
    wait_until("the news", lambda: page.feed_has(f"{HOSTILE_PLAYER}: You founded {HOSTILE_GUILD}."))
    wait_until("the guild", lambda: HOSTILE_GUILD in page.text("#hero-rank"))
    wait_until("the wars", lambda: HOSTILE_PLAYER in cells(page))
    assert page.driver.title == f"{HOSTILE_PLAYER} plays gamelake"
    assert page.script("return document.images.length") == 0
    assert not [entry for entry in page.driver.get_log("browser") if "Content Security Policy" in entry["message"]]


def cells(page: Page) -> list[str]:
    return list(page.script("return [...document.querySelectorAll('#boards td')].map((cell) => cell.textContent)"))


@pytest.mark.parametrize("name", ["Zoë 王", "a/b", "/", "50%", "q?x#y&z+1"])
def test_names_of_all_kinds(page: Page, name: str) -> None:
    """For any characters in a name, the deed and the hero are the same player's."""
    page.enter(name)
    assert page.do("Pray") == "A light falls on you."
    wait_until("the hero", lambda: page.text("#hero-rank") == "Level 1, of no guild")
    wait_until("the news", lambda: page.feed_has(f"{name}: A light falls on you."))


@pytest.mark.parametrize("name", ["a,b", "..", "   "])
def test_invalid_names_are_refused(page: Page, name: str) -> None:
    """A name that a header or URL cannot carry is refused before anything is sent."""
    page.enter("somebody")
    page.click(page.one("#leave button"))
    page.one("#name").clear()
    page.one("#name").send_keys(name, Keys.ENTER)
    assert page.script("return document.querySelector('#name').validationMessage")
    assert page.one("#gate").is_displayed()


def test_a_double_click_is_one_event(page: Page) -> None:
    """A double click on a button is one request: there is one sword before the prayer."""
    page.enter("double dan")
    ActionChains(page.driver).double_click(page.deed("Purchase a sword")).perform()
    wait_until("the sword", lambda: page.feed_has("double dan: Sword Purchased!"))
    page.do("Pray")
    wait_until("the prayer", lambda: page.feed_has("double dan: A light falls on you."))
    assert page.text("#feed").count("double dan: Sword Purchased!") == 1
    assert page.hero("double dan")["items"] == {"sword": 1}


def test_a_lost_answer_can_be_retried(page: Page) -> None:
    """If no answer arrives, the next click retries under the same key, and the deed happens once."""
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
    wait_until("the button", button.is_enabled)
    assert page.do("Purchase an axe") == "Axe Purchased!"
    assert page.hero("unlucky luke")["items"] == {"axe": 1}


def test_a_refusal_is_shown(page: Page) -> None:
    """A forbidden deed is answered with the reason, and is not in the chronicle."""
    page.enter("poor paul")
    assert page.do("Purchase a castle") == "The player has too little gold: You have 100 gold, and a castle costs 500."
    assert not page.feed_has("poor paul")


def test_stamina_is_shown(page: Page) -> None:
    """The hero's stamina is among the numbers, and in the herald's bar."""
    page.enter("rested ruth")
    page.do("Pray")
    stamina = page.hero("rested ruth")["stamina"]
    wait_until("the stamina", lambda: f"Stamina\n{stamina}" in page.text("#hero-numbers"))
    assert f", {stamina} stamina, " in page.text("#purse")


def test_a_name_is_its_first_players(stack: Stack, driver: Chrome, tmp_path: Path) -> None:
    """In mode claimed a deed makes a name the browser's, by a cookie that no script sees; sign-out gives it up."""
    secrets = write(tmp_path / "secrets", new_secret())
    with Game(stack).another_api(API_PLAYERS="claimed", API_TOKEN_SECRETS=secrets):
        page = Page(driver, stack.settings.api_url)
        page.script("localStorage.clear()")
        page = Page(driver, page.url).enter("claire")
        wait_until("the hero", lambda: page.text("#hero-rank") == "Nobody has heard of you yet")
        assert page.do("Pray") == "A light falls on you."
        assert driver.get_cookie("player")["httpOnly"]
        assert page.script("return document.cookie") == ""
        other = {"X-Player": "claire", "Idempotency-Key": "others-1"}
        assert requests.post(f"{page.url}/v1/actions/default", headers=other, timeout=60).status_code == 401
        page.script("localStorage.clear()")
        page = Page(driver, page.url)
        wait_until("the holder of the cookie", lambda: page.text("#hero-name") == "claire")
        page.click(page.one("#leave button"))
        driver.switch_to.alert.accept()
        wait_until("the gate", lambda: page.one("#name").is_displayed())
        page.enter("dora")
        assert driver.get_cookie("player") is None
        assert page.do("Pray") == "A light falls on you."
        assert page.hero("dora")["known"]
        page.script("localStorage.clear()")
        driver.delete_all_cookies()


def test_two_windows_see_each_other(page: Page) -> None:
    """A player's deed appears in another player's window within seconds."""
    page.enter("anne")
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("window")
    try:
        second = Page(page.driver, page.url).enter("bert")
        second.do("Purchase a shield")
        wait_until("bert's own", lambda: second.feed_has("bert: Shield Purchased!"))
        page.driver.switch_to.window(first)
        wait_until("bert's shield", lambda: page.feed_has("bert: Shield Purchased!"))
        assert page.text("#hero-name") == "anne"
        page.do("Pray")
        page.driver.switch_to.window(page.driver.window_handles[-1])
        wait_until("anne's prayer", lambda: second.feed_has("anne: A light falls on you."))
        page.driver.close()
    finally:
        page.driver.switch_to.window(first)


def test_an_unavailable_server_is_shown(page: Page) -> None:
    """While the server is unavailable there is a notice, which disappears when it is back."""
    page.enter("patient pat")
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    wait_until("the notice", lambda: "cannot be reached" in page.text("#notice"))
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline | {"offline": False})
    wait_until("no notice", lambda: not page.text("#notice"))


def test_a_phone_scrolls_only_vertically(page: Page) -> None:
    """At 390 pixels, neither a long name nor any deed is wider than the screen."""
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


def test_the_page_is_accessible(page: Page) -> None:
    """The page has a language and one main heading; inputs are labelled, buttons are large and named."""
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


def test_the_keyboard_is_enough(page: Page) -> None:
    """Tab and Enter lead from a deed's field to its button, which keeps the focus afterwards."""
    page.enter("tabitha")
    button = page.deed("Found a guild", guild="Owls")
    page.driver.switch_to.active_element.send_keys(Keys.TAB)
    assert page.driver.switch_to.active_element == button
    button.send_keys(Keys.ENTER)
    wait_until("the guild", lambda: page.text("#hero-rank") == "Level 1, of Owls")
    wait_until("the button", button.is_enabled)
    assert page.driver.switch_to.active_element == button
