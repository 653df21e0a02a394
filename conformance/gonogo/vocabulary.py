"""Step phrases and what they mean: the small language that scenarios are written in.

A phrase is a format string of the `parse` library, the one pytest-bdd's `parsers.parse` uses too, so that both
runners of the scenarios read them alike. Beside its own types there is `json`, one JSON value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


def _json(text: str) -> object:
    return json.loads(text)


TYPES = {"json": parse.with_pattern(r"[\[{\"].*[\]}\"]")(_json)}


@dataclass(frozen=True, slots=True)
class Phrase(Generic[T]):
    """A pattern and the meaning registered for it."""

    pattern: str
    meaning: T
    compiled: parse.Parser

    def match(self, text: str) -> dict[str, object] | None:
        """The named values of `text`, or None where it is another phrase."""
        found = self.compiled.parse(text)
        return None if found is None else dict(found.named)


class Vocabulary(Generic[T]):
    """Phrases of one kind; no two may fit the same text."""

    def __init__(self) -> None:
        self._phrases: list[Phrase[T]] = []

    def add(self, pattern: str, meaning: T) -> None:
        """Register a phrase; ValueError where the pattern is there already."""
        if any(phrase.pattern == pattern for phrase in self._phrases):
            raise ValueError(f"the phrase {pattern!r} is defined twice")
        compiled = parse.compile(pattern, TYPES, case_sensitive=True)
        self._phrases.append(Phrase(pattern, meaning, compiled))

    def find(self, text: str) -> tuple[T, dict[str, object]]:
        """The meaning of `text` and its values; LookupError where no phrase fits, or several do."""
        fits = [(phrase, values) for phrase in self if (values := phrase.match(text)) is not None]
        if not fits:
            raise LookupError(f"no phrase fits {text!r}")
        if len(fits) > 1:
            patterns = " and ".join(repr(phrase.pattern) for phrase, _ in fits)
            raise LookupError(f"{text!r} fits {patterns}")
        phrase, values = fits[0]
        return phrase.meaning, values

    def phrase(self, pattern: str) -> Callable[[T], T]:
        """`add` as a decorator."""

        def register(meaning: T) -> T:
            self.add(pattern, meaning)
            return meaning

        return register

    def __iter__(self) -> Iterator[Phrase[T]]:
        return iter(self._phrases)
