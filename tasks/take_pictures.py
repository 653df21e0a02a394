# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Take the pictures of the HTML report for the documentation, in both themes, with the Chromium of the system.

The argument is evidence of a run against a server with several failures, as `gonogo check --evidence` writes it; the
pictures in docs/pictures are of a run against mlx_lm.server 0.32.2.
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
"""What each picture shows: its name, and the script that brings it into view."""


def main(arguments: list[str]) -> int:
    """Take them all; the exit status."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if len(arguments) != 1 or program is None:
        print("Name a file of evidence, and install Chromium (apt-get install chromium).", file=sys.stderr)
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
    """One picture of each view in a theme."""
    context = browser.new_context(viewport=SIZE, color_scheme=theme)
    page = context.new_page()
    page.goto(path.as_uri())
    for name, script in VIEWS.items():
        page.evaluate(script)
        page.wait_for_timeout(200)  # the browser draws what came into view
        picture = FOLDER / f"{name}-{theme}.png"
        page.screenshot(path=picture, type="png")
        print(f"{picture.name} {picture.stat().st_size // 1024} KB")
    context.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
