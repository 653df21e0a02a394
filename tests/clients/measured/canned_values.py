"""A correct server's text and calls on any surface, and the tools that it calls."""

from __future__ import annotations

from typing import Any, Final

MODEL: Final = "canned"
PIECES: Final = ("Grüße", " from", " a", " server", " that", " works", ".")
TEXT: Final = "".join(PIECES)
CALLS: Final = (
    ("call_a1", "set_colour", '{"colour":"teal"}'),
    ("call_b2", "ring_bell", '{"times":2}'),
)
_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    name: {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    for name, field, kind in (("set_colour", "colour", "string"), ("ring_bell", "times", "integer"))
}
TOOLS: Final[dict[str, list[dict[str, Any]]]] = {
    "/chat/completions": [
        {"type": "function", "function": {"name": name, "parameters": parameters}}
        for name, parameters in _PARAMETERS.items()
    ],
    "/responses": [
        {"type": "function", "name": name, "parameters": parameters, "strict": False}
        for name, parameters in _PARAMETERS.items()
    ],
    "/messages": [{"name": name, "input_schema": parameters} for name, parameters in _PARAMETERS.items()],
}
"""By the path where they are offered."""
