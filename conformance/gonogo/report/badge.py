"""A badge as SVG: the verdict of a stored report, or of one profile in it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from gonogo.report.matrix import Server
from gonogo.report.model import Gate

if TYPE_CHECKING:
    from collections.abc import Mapping

COLOURS = {Gate.GO: "#18773a", Gate.NO_GO: "#c0271d", Gate.NOT_JUDGED: "#626b76"}
WORDS = {Gate.GO: "go", Gate.NO_GO: "no-go", Gate.NOT_JUDGED: "not judged"}
LETTER, PAD, HEIGHT = 6.6, 12, 20  # in pixels; the text is stretched to its box in any font

TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" aria-label="{said}">
<title>{said}</title>
<clipPath id="r"><rect width="{width}" height="{height}" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="{height}" fill="#3b424b"/>\
<rect x="{left}" width="{right}" height="{height}" fill="{colour}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{first}" y="14" textLength="{name_length}">{name}</text>
<text x="{second}" y="14" textLength="{word_length}">{word}</text>
</g>
</svg>
"""


def render(report: Mapping[str, Any], profile: str | None = None) -> str:
    """The badge of a report, as `gonogo.report.diff.read` returns it, or of one of its profiles."""
    gate = Server("", report).profiles[profile] if profile else Gate(report["verdict"])
    name, word = f"gonogo {profile}" if profile else "gonogo", WORDS[gate]
    left, right = (round(len(text) * LETTER) + PAD for text in (name, word))
    return TEMPLATE.format(
        width=left + right,
        height=HEIGHT,
        left=left,
        right=right,
        first=left / 2,
        second=left + right / 2,
        name_length=left - PAD,
        word_length=right - PAD,
        name=escape(name),
        word=word,
        said=escape(f"{name}: {word}"),
        colour=COLOURS[gate],
    )
