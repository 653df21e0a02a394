"""The tools that are called: the required ones, those that the user names, or none."""

from __future__ import annotations

from typing import Any

from ideal.conversation import last_words
from ideal.refusal import Refusal

Tool = dict[str, Any]


def called(body: dict[str, Any]) -> list[Tool]:
    """The functions to call, in order. Raises Refusal if choice and tools do not match."""
    offered = {tool["function"]["name"]: tool["function"] for tool in body.get("tools", ())}
    if len(offered) < len(body.get("tools", ())):
        raise Refusal("Two tools have one name.", param="tools")
    mode, allowed = _mode(body.get("tool_choice", "auto" if offered else "none"), list(offered))
    if mode != "none" and not allowed:
        raise Refusal("There are no tools to choose from.", param="tool_choice")
    for name in allowed:
        if name not in offered:
            raise Refusal(f"There is no tool {name!r}.", param="tool_choice", code="invalid_value")
    if mode == "none":
        return []
    wanted = [name for name in allowed if name in last_words(body["messages"])]
    if mode == "required" and not wanted:
        wanted = allowed[:1]
    if not body.get("parallel_tool_calls", True):
        wanted = wanted[:1]
    return [offered[name] for name in wanted]


def _mode(choice: Any, names: list[str]) -> tuple[str, list[str]]:  # noqa: ANN401 - JSON
    """The mode (none, auto or required), and the names that may be called."""
    if isinstance(choice, str):
        return choice, names
    if choice["type"] == "function":
        return "required", [choice["function"]["name"]]
    allowed = choice["allowed_tools"]
    return allowed["mode"], [tool["function"]["name"] for tool in allowed["tools"]]
