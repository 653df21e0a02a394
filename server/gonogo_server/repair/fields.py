"""Edits of an object on a copy, with a note for each; an unedited object stays the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document, Noted


def is_same(value: object, right: object) -> bool:
    """Whether both have the same JSON form; to Python, 1, 1.0 and true are equal."""
    return value == right and type(value) is type(right)


class Fields:
    """The fields of an object: `document` is the same object until an edit."""

    def __init__(self, document: Document, noted: Noted, group: str) -> None:
        self.document = document
        self._noted, self._group = noted, group
        self._edited = False

    def get(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """The value of a field; None if it is missing."""
        return self.document.get(name)

    def put(self, name: str, value: object, rule: str) -> None:
        """Set a field, unless it has this value; `rule` is a name in the group, or an id with a dot."""
        old = self.document.get(name)
        if name in self.document and (old is value or is_same(old, value)):
            return
        self._edit(rule)
        self.document[name] = value

    def drop(self, name: str, rule: str) -> None:
        """Remove a field, if it exists."""
        if name in self.document:
            self._edit(rule)
            del self.document[name]

    def drop_null(self, *names: str) -> None:
        """Remove those of the fields that are null."""
        for name in names:
            if name in self.document and self.document[name] is None:
                self.drop(name, "nulls")

    def _edit(self, rule: str) -> None:
        self._noted(rule if "." in rule else f"{self._group}.{rule}")
        if not self._edited:
            self.document, self._edited = {**self.document}, True
