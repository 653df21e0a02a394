# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Take the pictures of the HTML report for the documentation, in both themes, with the system's Chromium.

The argument is an evidence file of a run against a server with several failures, from `gonogo check --evidence`; the
pictures in docs/pictures show a run against mlx_lm.server 0.32.2.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo import evidence, running
from gonogo.report import html
from gonogo.rules import load
from gonogo.running import Selection
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SIZE = {"width": 1120, "height": 900}
VIEWS = {
    "report": "scrollTo(0, 0)",
    "cause": (
        "for (const found of document.querySelectorAll('.cause')) found.open = false;"
        "location.hash = 'cause-chat.stream.object'; scrollBy(0, -24)"
    ),
    "groups": "document.getElementById('groups').scrollIntoView()",
    "streams": "document.getElementById('streams').scrollIntoView()",
}
"""The pictures: their names, and the scripts that scroll to them."""


def main(arguments: list[str]) -> int:
    """Take all pictures; returns the exit status."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if len(arguments) != 1 or program is None:
        print("Give an evidence file, and install Chromium (apt-get install chromium).", file=sys.stderr)
        return 2
    records = evidence.read_each(arguments[0])
    report = running.judge_again(records, Selection(), load())
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "report.html"
        page.write_text(html.render(report), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for theme in ("light", "dark"):
            _take(browser, page, theme)
        browser.close()
    return 0


def _take(browser: Browser, path: Path, theme: str) -> None:
    """Take one picture of each view in a theme."""
    context = browser.new_context(viewport=SIZE, color_scheme=theme)
    page = context.new_page()
    page.goto(path.as_uri())
    for name, script in VIEWS.items():
        page.evaluate(script)
        page.wait_for_timeout(200)  # until the browser has drawn the view
        picture = FOLDER / f"{name}-{theme}.png"
        page.screenshot(path=picture, type="png")
        print(f"{picture.name} {picture.stat().st_size // 1024} KB")
    context.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
