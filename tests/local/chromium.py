"""A headless browser for tests of pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service


@contextmanager
def driven() -> Iterator[Chrome]:
    """Provide a driver for the block; skip the test if no browser is installed."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("no browser found: install Debian's packages chromium and chromium-driver")
    options = ChromeOptions()
    options.binary_location = browser
    # It also runs as root in containers, where /dev/shm is small.
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
        """Provide a browser for the block."""
        with driven() as driver:
            yield cls(driver)

    def open(self, url: str, width: int) -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self._driver.get(url)

    def count(self, selector: str) -> int:
        return len(self.texts(selector))

    def texts(self, selector: str) -> list[str]:
        """Return the text of each matching element."""
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
        return list(self._driver.execute_script(script, selector))

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return int(self._driver.execute_script("return document.documentElement.scrollWidth - innerWidth"))

    def console(self) -> list[str]:
        """Return the console's messages since the last call."""
        return [entry["message"] for entry in self._driver.get_log("browser")]  # type: ignore[no-untyped-call]
