"""Repairs model lists and single models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gonogo_server.errors import UpstreamError
from gonogo_server.repair.errors import error_in
from gonogo_server.repair.fields import Fields
from gonogo_server.repair.seconds import in_seconds

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document, Noted

RULES: Final = (
    "models.list.object",
    "models.list.unique",
    "models.entry.object",
    "models.entry.created",
    "models.entry.seconds",
    "models.entry.owned_by",
    "models.entry.id",
    "models.entry.rest",
    "models.list.data",
    "models.retrieve.schema",
)
UNKNOWN: Final = (0, -1)
"""The creation times that servers send for a model if they do not know it."""


def model_list(document: Document, noted: Noted, *, owner: str, since: int) -> Document:
    """The list, the same object if it is right: every model once, with `owner` and `since` if these are missing.

    Raises UpstreamError if it is an error or not a list.
    """
    failure = error_in(document)
    if failure is not None:
        raise failure
    fields = Fields(document, noted, "models.list")
    fields.put("object", "list", "object")
    found = fields.get("data")
    if not isinstance(found, list):
        found = _listed(document)
        fields.put("data", found, "data")
    named = [{"id": entry} if isinstance(entry, str) else entry for entry in found]
    named = [entry for entry in named if isinstance(entry, dict) and _id(entry)]
    once = list({_id(entry): entry for entry in reversed(named)}.values())[::-1]
    if len(once) != len(found):
        fields.put("data", once, "unique" if len(once) < len(named) else "models.entry.id")
    made = [_entry(entry, noted, "models.entry", owner, since) for entry in once]
    if any(new is not old for new, old in zip(made, once, strict=True)):
        fields.document = {**fields.document, "data": made}  # noted by the edits themselves
    return fields.document


def model(document: Document, noted: Noted, *, owner: str, since: int) -> Document:
    """A single model; the same object if it is right. Raises UpstreamError if it is an error or has no id."""
    failure = error_in(document)
    if failure is not None:
        raise failure
    if not _id(document):
        raise UpstreamError("The upstream's model has no id.", code="upstream_unreadable")
    return _entry(document, noted, "models.retrieve", owner, since)


def _id(entry: Document) -> str:
    found = entry.get("id", entry.get("name"))
    return str(found) if isinstance(found, str) or type(found) is int else ""


def _listed(document: Document) -> list[Any]:
    """The models of a list under another name or in a map; none if it is null."""
    found = document.get("data", document.get("models", ()))
    if isinstance(found, dict):
        return [{"id": name, **entry} for name, entry in found.items() if isinstance(entry, dict)]
    if found is None or isinstance(found, list):
        return found or []
    raise UpstreamError("The upstream's model list is invalid.", code="upstream_unreadable")


def _entry(entry: Any, noted: Noted, group: str, owner: str, since: int) -> Document:  # noqa: ANN401 - JSON
    one = group == "models.retrieve"
    fields = Fields(entry, noted, group)
    fields.put("id", _id(entry), "schema" if one else "id")
    fields.put("object", "model", "schema" if one else "object")
    created = fields.get("created")
    if type(created) is not int or created not in UNKNOWN:
        rule = "seconds" if type(created) is int else "created"
        fields.put("created", in_seconds(created, since), "schema" if one else rule)
    if not isinstance(fields.get("owned_by"), str):
        fields.put("owned_by", owner, "schema" if one else "owned_by")
    if not isinstance(fields.get("shutdown_date"), str | None):
        fields.drop("shutdown_date", "schema" if one else "rest")
    return fields.document
