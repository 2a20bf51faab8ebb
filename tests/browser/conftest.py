"""What the tests in a browser share: Debian's Chromium without a screen, driven by selenium.

Owns: finding the browser, starting it, and saying why there is none.
Must not know: the pages.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

BROWSER = os.environ.get("GLOWPLUG_CHROMIUM") or shutil.which("chromium")
DRIVER = os.environ.get("GLOWPLUG_CHROMEDRIVER") or shutil.which("chromedriver")
MISSING = (
    "no Chromium with its driver: install Debian's chromium and chromium-driver, or name both by "
    "GLOWPLUG_CHROMIUM and GLOWPLUG_CHROMEDRIVER"
)
FLAGS = (
    "--headless",
    "--no-sandbox",  # there is none for root, as whom CI runs
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
)


@pytest.fixture(scope="session")
def start(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., webdriver.Chrome]]:
    """A function that starts a browser; skips the test where there is none."""
    started: list[webdriver.Chrome] = []

    def start(*flags: str) -> webdriver.Chrome:
        if not BROWSER or not DRIVER:
            pytest.skip(MISSING)
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        profile = tmp_path_factory.mktemp("profile")
        for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        browser = webdriver.Chrome(options=options, service=Service(DRIVER))
        started.append(browser)
        return browser

    yield start
    for browser in started:
        browser.quit()


@pytest.fixture(scope="session")
def browser(start: Callable[..., webdriver.Chrome]) -> webdriver.Chrome:
    """A browser that prefers light colours."""
    return start()


def pytest_report_header() -> str:
    """Say at the top which browser is tested, or that none is."""
    return f"browser: {BROWSER}, {DRIVER}" if BROWSER and DRIVER else f"browser: {MISSING}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end that nothing was opened, where quiet runs show no header."""
    if not BROWSER or not DRIVER:
        terminalreporter.write_line(f"tests in a browser were skipped: {MISSING}")
