"""The items of a response as its stream makes them, and the parts of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonogo.judge.response_steps import REASONING, State

if TYPE_CHECKING:
    from gonogo.judge.reading import Object

    PartKey = tuple[str, int]
    """The field that numbers parts of this kind, and the number."""


@dataclass(slots=True)
class Part:
    """A part of an item, what its deltas make so far, and what was said at once."""

    state: State = State.UNKNOWN
    deltas: list[str] = field(default_factory=list)
    told: str | None = None

    @property
    def text(self) -> str | None:
        """What was said at once, or what the deltas make; None if nothing was said."""
        return self.told if self.told is not None else "".join(self.deltas) if self.deltas else None


@dataclass(slots=True)
class Item:
    """An item as it was added, its parts, and as what it was done."""

    added: Object
    parts: dict[PartKey, Part] = field(default_factory=dict)
    done: Object | None = None

    @property
    def id(self) -> str | None:
        """Its name; None if it has none."""
        found = self.added.get("id")
        return found if isinstance(found, str) and found else None

    @property
    def is_reasoning(self) -> bool:
        """Whether it is reasoning, as it was added, or where nobody added it, as it is done."""
        return REASONING.item in (self.type, (self.done or {}).get("type"))

    @property
    def said(self) -> str | None:
        """All that its parts say; None if they said nothing."""
        found = [part.text for part in self.parts.values() if part.text is not None]
        return "".join(found) if found else None

    @property
    def type(self) -> str | None:
        """What it is; None if nobody said so."""
        found = self.added.get("type")
        return found if isinstance(found, str) else None
