"""Settings that are not supported with replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.errors import BadSettings
from gonogo_server.store_settings import MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo_server.settings import Settings

WITH_REPLICAS: Final = {
    "metrics": (
        "each request to /metrics would reach a different replica; Ray exports its own metrics instead"
    ),
}
"""Settings that replicas do not support, and the reason."""

ON_A_CLUSTER: Final = {
    "host": "Ray Serve listens on http_options.host of its configuration",
    "port": "Ray Serve listens on http_options.port of its configuration",
    "responses_store": "machines do not share a file, so only some of them could find a response",
}
"""Settings that only `gonogo serve` supports."""


def check(settings: Settings) -> None:
    """Raise `BadSettings` if a setting was given that replicas do not support."""
    _refuse(settings, WITH_REPLICAS)
    if settings.responses_store == MEMORY:
        raise BadSettings(
            "Replicas do not share memory, so only one of them could find a response: set --responses-store to a file,"
            " or remove it."
        )


def check_cluster(settings: Settings) -> None:
    """Raise `BadSettings` for a setting that is not supported on a Ray cluster, or if any client could connect.

    Who can reach Ray Serve is not known here, so it counts as open to other machines.
    """
    _refuse(settings, ON_A_CLUSTER)
    if not (settings.keys or settings.insecure):
        raise BadSettings(
            "Other machines can reach Ray Serve without a key: set GONOGO_SERVER_API_KEY_FILE or "
            "GONOGO_SERVER_API_KEY, or GONOGO_SERVER_INSECURE=true to allow it."
        )


def _refuse(settings: Settings, refused: Mapping[str, str]) -> None:
    for name, why in refused.items():
        if name in settings.model_fields_set and getattr(settings, name):
            raise BadSettings(f"The setting '{name}' is not supported with replicas: {why}. Remove it.")
