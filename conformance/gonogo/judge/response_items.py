"""The items of a streamed response, and their parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonogo.judge.response_steps import REASONING, State

if TYPE_CHECKING:
    from gonogo.judge.reading import Object

    PartKey = tuple[str, int]
    """The field with the part's number, and the number."""


@dataclass(slots=True)
class Part:
    """A part of an item: the joined deltas so far, and its complete text."""

    state: State = State.UNKNOWN
    deltas: list[str] = field(default_factory=list)
    told: str | None = None

    @property
    def text(self) -> str | None:
        """The complete text, or the joined deltas; None if there is neither."""
        return self.told if self.told is not None else "".join(self.deltas) if self.deltas else None


@dataclass(slots=True)
class Item:
    """An item as it was added, its parts, and its final form."""

    added: Object
    parts: dict[PartKey, Part] = field(default_factory=dict)
    done: Object | None = None

    @property
    def id(self) -> str | None:
        """Its id; None if it has none."""
        found = self.added.get("id")
        return found if isinstance(found, str) and found else None

    @property
    def is_reasoning(self) -> bool:
        """Whether it is reasoning when it was added, or in its final form if it was never added."""
        return REASONING.item in (self.type, (self.done or {}).get("type"))

    @property
    def said(self) -> str | None:
        """The text of all its parts; None if they have none."""
        found = [part.text for part in self.parts.values() if part.text is not None]
        return "".join(found) if found else None

    @property
    def type(self) -> str | None:
        """Its type; None if it has none."""
        found = self.added.get("type")
        return found if isinstance(found, str) else None
