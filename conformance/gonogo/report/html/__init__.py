"""The report as one self-contained HTML page, for browsers, print and screen readers.

`page` is the frame (template environment, style, script, Content-Security-Policy) that other pages share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gonogo.report.model import Report


def render(report: Report) -> str:
    """The page as text, with a trailing line break."""
    from gonogo.report.html.report import render as rendered  # noqa: PLC0415 - only a page needs Jinja

    return rendered(report)
