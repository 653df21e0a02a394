"""The page in a real Chromium: no console output, accessible, and no content can act in it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from gonogo.report import html
from gonogo.verdict import Verdict
from hostile_texts import hostile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gonogo.report.model import Report
    from playwright.sync_api import Browser, BrowserContext, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SOON = 10_000  # milliseconds
ROUNDS = 60  # presses of the Tab key, enough to go around the small page

pytestmark = pytest.mark.unmeasured


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"none of {', '.join(PROGRAMS)} is installed; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - half a second that a skipped test saves

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open a page as a file, at a fragment; console output and requests are failures."""
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def open_page(text: str, fragment: str = "", **options: object) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(SOON)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on(
            "request", lambda request: said.append(request.url) if "report.html" not in request.url else None
        )
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        page.goto(path.as_uri() + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_to_mend_with_everything_open(
    make: Callable[..., Report], opened: Callable[..., Page], theme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only needed with a browser

    page = opened(html.render(make(*Verdict)), color_scheme=theme)
    page.evaluate("for (const found of document.querySelectorAll('details')) found.open = true")
    results = Axe().run(page)

    assert results.response["violations"] == [], results.generate_report()


def test_hostile_answers_do_nothing_in_the_page(
    make: Callable[..., Report], opened: Callable[..., Page]
) -> None:
    page = opened(html.render(hostile(make)))

    assert page.evaluate("window.acted") is None
    assert page.title() == page.evaluate("document.title")
    assert page.locator("#verdict .verdict").inner_text() == "NOT JUDGED"
    assert page.locator("main").inner_text().count("window.acted = 1") > 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_deep_link_opens_its_finding(
    make: Callable[..., Report], opened: Callable[..., Page], *, scripts: bool
) -> None:
    page = opened(html.render(make(*Verdict)), "#chat.tools.ids", java_script_enabled=scripts)

    page.get_by_text("our issue 12").wait_for()
    assert page.locator("#finder").is_visible() is scripts


def test_search_and_filter_leave_what_fits(make: Callable[..., Report], opened: Callable[..., Page]) -> None:
    page = opened(html.render(make(*Verdict)))
    shown = page.locator(".rule:visible .title")
    page.keyboard.press("/")
    page.keyboard.type("STREAM")
    by_words = shown.all_inner_texts()
    page.locator("[data-only=warn]").click()
    by_both = shown.all_inner_texts()
    said = page.locator("#matches").inner_text()
    page.locator("#find").fill("no rule has this")
    nothing = page.locator("#nothing").is_visible()
    page.evaluate("location.hash = '#chat.seed'")
    page.locator("[id='chat.seed']").wait_for()

    assert by_words == ["Title of chat.stream.done", "Title of chat.stream.usage"]
    assert by_both == ["Title of chat.stream.usage"]
    assert said == "1 of 8 rules"
    assert nothing
    assert page.locator("#find").input_value() == ""


def test_everything_can_be_reached_and_opened_by_keyboard(
    make: Callable[..., Report], opened: Callable[..., Page]
) -> None:
    page = opened(html.render(make(*Verdict)))
    stops = []
    for _ in range(ROUNDS):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        if page.evaluate("document.activeElement.matches('.group > summary')"):
            break
    page.keyboard.press("Enter")

    assert stops[0] == "Skip to the content"
    assert {"theme-switch", "find", "fail"} <= set(stops)
    assert page.evaluate("document.activeElement.parentElement.open")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_switch_goes_through_the_themes_and_keeps_the_chosen_one(
    make: Callable[..., Report], opened: Callable[..., Page]
) -> None:
    page = opened(html.render(make(Verdict.PASS)), color_scheme="light")
    switch, colours = page.locator("#theme-switch"), []
    for _ in range(3):
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        switch.click()
    switch.click()
    switch.click()
    page.reload()

    assert switch.inner_text() == "Theme: dark"
    assert colours == ["rgb(255, 255, 255)", "rgb(255, 255, 255)", "rgb(13, 17, 23)"]


def test_on_paper_every_cause_is_open_and_the_switch_is_not_there(
    make: Callable[..., Report], opened: Callable[..., Page]
) -> None:
    page = opened(html.render(make(Verdict.WARN)), color_scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert page.get_by_text("Clients that break").is_visible()
    assert page.locator("#theme-switch").is_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
