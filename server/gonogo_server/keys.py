"""The keys that clients may use, and the forms in which they are configured."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from gonogo_server.errors import BadSettings

if TYPE_CHECKING:
    from pathlib import Path


def read_keys(text: str) -> list[str]:
    """The keys in a text: a JSON list, or separated by commas or line ends. Raises ValueError."""
    text = text.strip()
    if not text.startswith("["):
        return [key.strip() for key in re.split(r"[,\n]", text) if key.strip()]
    try:
        listed = json.loads(text)
    except ValueError:
        listed = None
    if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
        raise ValueError("the keys begin with '[' but are not a JSON list of strings")
    return [key.strip() for key in listed if key.strip()]


def keys_of(file: Path) -> list[str]:
    """The keys in a file. Raises `BadSettings` if it cannot be read or has no key."""
    try:
        keys = read_keys(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise BadSettings(f"Cannot read the keys in {file}: {why}.") from None
    if not keys:
        raise BadSettings(f"There is no key in {file}: write one key per line.")
    return keys
