"""An upstream's error text without its address, key, files, or lines of code."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST: Final = 1000
"""Maximum characters of a message."""

_TRACE: Final = re.compile(
    r"Traceback \(most recent call last\).*|^\s*File \"[^\"\n]*\", line \d+.*|^\s+at [^\n]*:\d+.*"
    r"|goroutine \d+ \[.*|thread '[^']*' panicked at.*|\[?stack ?trace\]?:.*",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_LAST_LINE: Final = re.compile(
    r"^(?:[\w.]+(?:Error|Exception|Failure|Interrupt|Exit)): (?P<said>.+)$", re.MULTILINE
)

_HIDDEN: Final = (
    (re.compile(r"\b(?:https?|wss?|grpcs?)://[^\s\"'<>)\]}]+"), "(an address)"),
    (re.compile(r"\bBearer\s+[^\s\"',;)]+", re.IGNORECASE), "(a key)"),
    (re.compile(r"\b(?:sk|pk|rk|gsk|csk|key|api)[-_](?=[\w*.-]*[\d*])[\w*.-]{6,}", re.IGNORECASE), "(a key)"),
    (
        re.compile(r"(?<![\w/.:-])(?:/[\w.@+~-]+){2,}(?=[\w/.@+-]*\.\w+\b)[\w/.@+-]*"),
        "(a file)",
    ),
    (
        re.compile(
            r"(?<![\w/.:-])(?:/(?:home|Users|root|usr|opt|srv|var|tmp|etc|mnt|data|app|models|workspace|Library)"
            r"/[\w.@+/~-]+|[A-Z]:\\[^\s\"'<>|]+)"
        ),
        "(a file)",
    ),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b"), "(an address)"),
    (re.compile(r"\[[0-9a-f:]*::?[0-9a-f:]+\](?::\d{1,5})?", re.IGNORECASE), "(an address)"),
    (re.compile(r"\blocalhost(?::\d{1,5})?\b|\b[\w-]+(?:\.[\w-]+)+:\d{2,5}\b"), "(an address)"),
)


def for_clients(text: str, hide: Iterable[str] = ()) -> str:
    """The text on one line, at most 1,000 characters, or "" if nothing is left; the texts in `hide` are removed."""
    for secret in sorted(filter(None, hide), key=len, reverse=True):
        text = text.replace(secret, "(hidden)")
    text = _without_trace(text)
    for pattern, instead in _HIDDEN:
        text = pattern.sub(instead, text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= MOST else text[: MOST - 1] + "…"


def from_html(text: str) -> str:
    """The title of a page, or else its text."""
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.DOTALL | re.IGNORECASE)
    if title and title[1].strip():
        return html.unescape(title[1]).strip()
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    return html.unescape(re.sub(r"<[^>]*>", " ", bare)).strip()


def _without_trace(text: str) -> str:
    """The text before a traceback; if there is none, the message in the traceback's last line."""
    found = _TRACE.search(text)
    if found is None:
        return text
    before = text[: found.start()].strip()
    if before:
        return before
    last = _LAST_LINE.findall(text)
    return last[-1] if last else ""
