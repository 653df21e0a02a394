"""Claude Code runs a turn with two tool calls on the server, which answers from a script; all of it on loopback.

Its binary comes with npm, takes 384 MB and has terms of its own: the test runs only where it is wanted.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import pytest

from .agents import DONE, PROMPT, RANG, events, reached
from .flows import KEY

WANTED: Final = "GONOGO_TEST_CLAUDE_CODE"
FOLDER: Final = Path(__file__).parent / "claude-code" / "node_modules" / "@anthropic-ai"
BINARY: Final = next(iter(sorted(FOLDER.glob("claude-code-*/claude"))), None)
SEARCH: Final = '<tool_call>{"name": "ToolSearch", "arguments": {"query": "select:NotebookEdit"}}</tool_call>'
CALL: Final = f'<tool_call>{{"name": "Bash", "arguments": {{"command": "echo {RANG}"}}}}</tool_call>'
# Documented at code.claude.com/docs/en/env-vars: with these it asks nobody but the server.
SILENT: Final = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}


def answer(prompt: str) -> str:
    """A search for a tool, behind its result a call of the shell, and behind what that printed the end of the turn."""
    results = [line for line in prompt.splitlines() if line.startswith(("tool (Bash)", "tool (ToolSearch)"))]
    if not results:
        return SEARCH
    return DONE if results[-1].endswith(RANG) else CALL


@pytest.mark.skipif(
    os.environ.get(WANTED) != "1", reason=f"Claude Code is not asked for: set {WANTED}=1 and install it"
)
@pytest.mark.skipif(
    BINARY is None, reason="Claude Code is not installed: uv run npm ci --prefix tests/clients/claude-code"
)
@pytest.mark.parametrize("translated", [False, True], ids=["itself", "translated by a gateway"])
def test_claude_code_completes_a_turn_with_tool_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, translated: bool
) -> None:
    assert BINARY is not None
    monkeypatch.setenv("LAB_API_KEY", KEY)
    options = ["--output-format", "stream-json", "--verbose", "--allowedTools", "Bash(echo:*)"]
    with reached(answer, translated=translated) as base_url:
        variables = {
            "CLAUDE_CONFIG_DIR": str(tmp_path / "home" / "config"),
            "ANTHROPIC_BASE_URL": base_url.removesuffix("/v1"),
            "ANTHROPIC_AUTH_TOKEN": KEY,
            "ANTHROPIC_MODEL": "scripted",
        }
        told = events([str(BINARY), "-p", PROMPT, *options], variables | SILENT, tmp_path)
    blocks = [block for event in told if event["type"] in ("assistant", "user") for block in _blocks(event)]
    assert [block["name"] for block in blocks if block["type"] == "tool_use"] == ["ToolSearch", "Bash"]
    found, rang = (block for block in blocks if block["type"] == "tool_result")
    assert found["content"] == [{"type": "tool_reference", "tool_name": "NotebookEdit"}]
    assert (rang["content"], rang["is_error"]) == (RANG, False)
    last = told[-1]
    assert (last["type"], last["subtype"], last["result"]) == ("result", "success", DONE)
    assert last["usage"]["output_tokens"] > len(DONE)


def _blocks(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks of a message; one that is text alone has none."""
    content = event["message"]["content"]
    return content if isinstance(content, list) else []
