"""Step phrases and their meanings: the language of scenarios.

A phrase is a format string of the `parse` library, the one pytest-bdd's `parsers.parse` uses too, so that both
runners of the scenarios parse them in the same way. `json`, one JSON value, is added to its types.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import parse

T = TypeVar("T")


def _json(text: str) -> object:
    return json.loads(text)


@functools.cache
def types() -> Mapping[str, Callable[[str], Any]]:
    """The field types that `parse` does not have."""
    import parse  # noqa: PLC0415 - half of the phrases have no fields and do not need it

    return {"json": parse.with_pattern(r"[\[{\"].*[\]}\"]")(_json)}


@dataclass(frozen=True)
class Phrase(Generic[T]):
    """A pattern and the meaning registered for it."""

    pattern: str
    meaning: T

    @functools.cached_property
    def compiled(self) -> parse.Parser:
        """The compiled pattern; created when a text may match this phrase."""
        import parse  # noqa: PLC0415 - as above

        return parse.compile(self.pattern, types(), case_sensitive=True)

    @functools.cached_property
    def ends(self) -> tuple[str, str]:
        """The constant prefix and suffix of every text of this phrase."""
        return self.pattern.partition("{")[0], self.pattern.rpartition("}")[2]

    def match(self, text: str) -> dict[str, object] | None:
        """The named values of `text`, or None if it does not match."""
        begin, end = self.ends
        if not (text.startswith(begin) and text.endswith(end)):
            return None
        found = self.compiled.parse(text)
        return None if found is None else dict(found.named)


class Vocabulary(Generic[T]):
    """Phrases of one kind; no two may match the same text."""

    def __init__(self) -> None:
        self._plain: dict[str, Phrase[T]] = {}
        self._with_fields: dict[str, Phrase[T]] = {}

    def add(self, pattern: str, meaning: T) -> None:
        """Register a phrase. Raises ValueError if the pattern is already registered."""
        phrases = self._with_fields if "{" in pattern or "}" in pattern else self._plain
        if pattern in phrases:
            raise ValueError(f"the phrase {pattern!r} is defined twice")
        phrases[pattern] = Phrase(pattern, meaning)

    @property
    def patterns(self) -> list[str]:
        """Every registered phrase, in alphabetical order."""
        return sorted((*self._plain, *self._with_fields))

    def find(self, text: str) -> tuple[T, dict[str, object]]:
        """The meaning of `text` and its values. Raises LookupError if no phrase matches, or several do."""
        fits = [
            (phrase, values)
            for phrase in self._with_fields.values()
            if (values := phrase.match(text)) is not None
        ]
        if text in self._plain:
            fits.append((self._plain[text], {}))
        if not fits:
            raise LookupError(f"no phrase matches {text!r}")
        if len(fits) > 1:
            patterns = " and ".join(repr(phrase.pattern) for phrase, _ in fits)
            raise LookupError(f"{text!r} matches {patterns}")
        phrase, values = fits[0]
        return phrase.meaning, values

    def phrase(self, pattern: str) -> Callable[[T], T]:
        """`add` as a decorator."""

        def register(meaning: T) -> T:
            self.add(pattern, meaning)
            return meaning

        return register

    def __iter__(self) -> Iterator[Phrase[T]]:
        return chain(self._plain.values(), self._with_fields.values())
