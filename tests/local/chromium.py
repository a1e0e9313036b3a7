"""A real browser without a window, as a test looks at a page with it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service


@contextmanager
def driven() -> Iterator[Chrome]:
    """Have its driver while the block lasts; skip the test where it is not installed."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("there is no browser: install Debian's chromium and chromium-driver")
    options = ChromeOptions()
    options.binary_location = browser
    # It runs as root in a container, too, where there is no room in /dev/shm.
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,900",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options, Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


class Chromium:
    def __init__(self, driver: Chrome) -> None:
        self._driver = driver

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator["Chromium"]:
        """Have it while the block lasts."""
        with driven() as driver:
            yield cls(driver)

    def open(self, url: str, width: int) -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self._driver.get(url)

    def count(self, selector: str) -> int:
        return len(self.texts(selector))

    def texts(self, selector: str) -> list[str]:
        """The text of each element."""
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
        return list(self._driver.execute_script(script, selector))

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(self._driver.execute_script("return document.documentElement.scrollWidth - innerWidth"))

    def complaints(self) -> list[str]:
        """What the console has got to say since the last time."""
        return [entry["message"] for entry in self._driver.get_log("browser")]  # type: ignore[no-untyped-call]
