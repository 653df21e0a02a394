"""The endpoints for responses and messages that an upstream has. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gonogo_server.repair.table.row import Does

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo_server.provider_settings import Surface, Surfaces
    from gonogo_server.repair.quirks import Quirks

SURFACES: Final[Mapping[str, Surface]] = {
    "/responses": "responses",
    "/responses/input_tokens": "responses",
    "/messages": "messages",
    "/messages/count_tokens": "messages",
}
"""The surface of each path."""
TRANSLATED: Final[Mapping[Surface, Does]] = {
    "responses": Does.TRANSLATE_RESPONSES,
    "messages": Does.TRANSLATE_MESSAGES,
}


@dataclass(slots=True)
class Endpoints:
    """Which paths exist. `surfaces` names the existing ones; with "auto" each is tried until it is known."""

    quirks: Quirks
    surfaces: Surfaces = "auto"
    _there: dict[str, bool] = field(default_factory=dict)
    """Whether the upstream has a path, for the paths that were tried."""

    def has(self, path: str, model: str) -> bool | None:
        """Whether the upstream has the path; None if it is not known yet."""
        surface = SURFACES[path]
        if self.surfaces != "auto":
            return surface in self.surfaces
        if self._broken(path, model) or self._there.get(f"/{surface}") is False:
            return False
        return self._there.get(path)

    def found(self, path: str) -> None:
        """Record that the path exists."""
        self._there[path] = True

    def missed(self, path: str, model: str) -> None:
        """Record that the path answered 404 while a chat completion of the same model works."""
        if self.surfaces == "auto" and not self._broken(path, model):
            self._there[path] = False

    def _broken(self, path: str, model: str) -> bool:
        """Whether the report says that the path is missing or breaks the contract."""
        return TRANSLATED[SURFACES[path]] in self.quirks.of(model).does
