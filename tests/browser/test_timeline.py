"""The timeline of a run, in a real browser.

Owns: what the page shows, and what it answers.
Must not know: how the page is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from glowplug import Engine, Events

COLOURS = """
    const canvas = arguments[0], pen = canvas.getContext("2d");
    const dots = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    const seen = new Set();
    for (let i = 0; i < dots.length; i += 4)
        if (dots[i + 3] > 200) seen.add(dots.slice(i, i + 3).join());
    return [...seen];
"""


def log(engine: Any) -> None: ...
def save(engine: Any) -> None: ...
def too_late(engine: Any) -> None: ...
def perhaps(engine: Any) -> None: ...
def alarm(engine: Any, error: BaseException) -> None: ...


def third(engine: Any, count: int) -> bool:
    return count % 3 == 0


def explained(epochs: int, length: int) -> Any:
    """Return a run with a handler of each mark."""
    engine = Engine[Any, Any](lambda engine, batch: batch)
    engine.add_event_handler(Events.ITERATION_COMPLETED, log)
    engine.add_event_handler(Events.EPOCH_COMPLETED(every=2), save)
    engine.add_event_handler(Events.EPOCH_COMPLETED(once=9_999), too_late)
    engine.add_event_handler(Events.ITERATION_COMPLETED(event_filter=third), perhaps)
    engine.add_event_handler(Events.EXCEPTION_RAISED, alarm)
    return engine.explain(length, max_epochs=epochs)


@pytest.fixture
def shown(browser: Chrome, tmp_path: Path) -> Callable[..., Chrome]:
    """A function that opens the timeline of a run."""

    def show(epochs: int = 4, length: int = 50) -> Chrome:
        page = explained(epochs, length).write_html(tmp_path / "run.html")
        browser.get(page.as_uri())
        return browser

    return show


def row(browser: Chrome, name: str) -> WebElement:
    """Return the row of a handler or event."""
    rows = browser.find_elements(By.CSS_SELECTOR, ".row")
    (found,) = [r for r in rows if name in r.text]
    return found


def errors(browser: Chrome) -> list[Any]:
    """Return the errors that the browser has reported since it was asked last."""
    entries = browser.get_log("browser")  # type: ignore[no-untyped-call]  # selenium has no type for it
    return [entry for entry in entries if entry["level"] == "SEVERE"]


def view(browser: Chrome) -> str:
    """Return what the page says is in view."""
    return browser.find_element(By.ID, "view").text


def colours(browser: Chrome, name: str) -> set[str]:
    """Return the colours that a row is drawn in."""
    canvas = row(browser, name).find_element(By.TAG_NAME, "canvas")
    return set(browser.execute_script(COLOURS, canvas))


@pytest.mark.parametrize(("epochs", "length"), [(1, 1), (1, 2), (4, 50), (100, 10_000)])
def test_the_page_of_a_run_opens_without_an_error(
    shown: Callable[..., Chrome], epochs: int, length: int
) -> None:
    browser = shown(epochs, length)
    last = f"{epochs * length:,}"
    assert last in view(browser)
    assert errors(browser) == []


def test_every_handler_has_its_lane(shown: Callable[..., Chrome]) -> None:
    browser = shown()
    rows = [r.text for r in browser.find_elements(By.CSS_SELECTOR, ".row.handler")]
    assert [text.split("\n")[1] for text in rows] == [
        "log",
        "perhaps (event_filter=third)",
        "save (every=2)",
        "too_late (once=9999)",
        "alarm",
    ]


def test_a_handler_that_is_never_called_is_marked_and_listed(shown: Callable[..., Chrome]) -> None:
    browser = shown()
    mark = row(browser, "too_late").find_element(By.CSS_SELECTOR, ".mark.never")
    assert (mark.text, mark.is_displayed()) == ("never", True)
    assert "too_late (once=9999) at EPOCH_COMPLETED" in browser.find_element(By.ID, "never").text
    assert "alarm at EXCEPTION_RAISED" in browser.find_element(By.ID, "demand").text


def test_calls_are_drawn_and_what_is_never_called_is_not(shown: Callable[..., Chrome]) -> None:
    browser = shown(1, 10)
    lines = colours(browser, "too_late")
    assert colours(browser, "log") - lines
    assert colours(browser, "perhaps (") - lines - colours(browser, "log")


def test_a_click_zooms_in_and_another_shows_the_whole_run_again(
    shown: Callable[..., Chrome],
) -> None:
    browser = shown()
    whole = view(browser)
    browser.find_element(By.ID, "in").click()
    WebDriverWait(browser, 10).until(lambda b: view(b) != whole)
    browser.find_element(By.ID, "whole").click()
    WebDriverWait(browser, 10).until(lambda b: view(b) == whole)


def test_keys_go_down_to_two_iterations_and_along_the_run(shown: Callable[..., Chrome]) -> None:
    browser = shown()
    area = browser.find_element(By.ID, "timeline")
    area.send_keys("+" * 20)
    WebDriverWait(browser, 10).until(lambda b: view(b).startswith("iterations 100 to 101"))
    area.send_keys(Keys.ARROW_RIGHT * 5)
    WebDriverWait(browser, 10).until(lambda b: view(b).startswith("iterations 102 to 103"))


def test_dragging_moves_what_is_in_view(shown: Callable[..., Chrome]) -> None:
    browser = shown()
    browser.find_element(By.ID, "in").click()
    before = view(browser)
    canvas = row(browser, "log").find_element(By.TAG_NAME, "canvas")
    ActionChains(browser).drag_and_drop_by_offset(canvas, -200, 0).perform()
    WebDriverWait(browser, 10).until(lambda b: view(b) != before)


def test_pointing_at_a_call_tells_its_iteration_and_epoch(shown: Callable[..., Chrome]) -> None:
    browser = shown(1, 1)
    canvas = row(browser, "log").find_element(By.TAG_NAME, "canvas")
    # the whole of it is two iterations wide, and the call lies at 0.8 of the one in the middle
    right = int(canvas.size["width"] * 0.3 / 2)
    ActionChains(browser).move_to_element_with_offset(canvas, right, 0).perform()
    tip = browser.find_element(By.ID, "tip")
    WebDriverWait(browser, 10).until(lambda _: tip.is_displayed())
    assert tip.text == "log: 1 call\niteration 1, epoch 1"


def test_the_page_has_dark_colours_for_those_who_prefer_them(
    start: Callable[..., Chrome], tmp_path: Path
) -> None:
    dark = start("--blink-settings=preferredColorScheme=0")
    dark.get(explained(1, 5).write_html(tmp_path / "run.html").as_uri())
    paper = dark.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert paper == "rgba(18, 22, 29, 1)"


def test_a_name_that_looks_like_markup_is_shown_as_text(browser: Chrome, tmp_path: Path) -> None:
    def handler(engine: Any) -> None: ...

    handler.__qualname__ = "</script><img src=x onerror=document.title='broken'>"
    engine = Engine[Any, Any](lambda engine, batch: batch)
    engine.add_event_handler(Events.STARTED, handler)
    browser.get(engine.explain(3).write_html(tmp_path / "run.html").as_uri())
    assert handler.__qualname__ in browser.find_element(By.CSS_SELECTOR, ".row.handler").text
    assert "broken" not in browser.title
    assert errors(browser) == []


def test_a_notebook_gets_the_timeline_in_a_frame(browser: Chrome, tmp_path: Path) -> None:
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html>{explained(2, 10)._repr_html_()}", "utf-8")
    browser.get(notebook.as_uri())
    browser.switch_to.frame(0)
    assert view(browser) == "iterations 1 to 20, epochs 1 to 2"
    browser.switch_to.default_content()
    assert errors(browser) == []


def test_a_picture_of_the_page_has_something_on_it(shown: Callable[..., Chrome]) -> None:
    browser = shown()
    lanes = row(browser, "log").screenshot_as_png
    empty = row(browser, "too_late").screenshot_as_png
    assert len(lanes) > 500
    assert lanes != empty
