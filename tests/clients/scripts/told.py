"""Runs the flows of a script, the functions whose names begin with "it_", and prints the results as JSON lines.

It imports nothing from gonogo, because a client's environment does not have it. The client's own output goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BASE_URL = os.environ.get("GONOGO_TEST_BASE_URL", "")
API_KEY = os.environ.get("GONOGO_TEST_API_KEY", "")
MODEL = "scripted"
HELLO = "Hello! How can I help you today?"
LAMP = "Make the lamp teal."
LAMP_IS_TEAL = "The lamp is teal now."
ADA = "Ada is 36 years old. Describe her."


def tell(names: Mapping[str, Any]) -> None:
    """Run every flow among these names, in order; prints a line for each: its name, and its traceback or ""."""
    said, sys.stdout = sys.stdout, sys.stderr
    flows: dict[str, Callable[[], None]] = {
        name: value for name, value in names.items() if name.startswith("it_")
    }
    for name, flow in flows.items():
        try:
            flow()
            trouble = ""
        except Exception:  # noqa: BLE001 - reported in the line
            trouble = traceback.format_exc()
        print(json.dumps([name, trouble]), file=said, flush=True)
