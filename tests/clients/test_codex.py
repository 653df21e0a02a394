"""Codex runs a turn with a tool call on the server, which answers from a script, entirely on loopback.

Its binary comes with npm and takes 400 MB, so it has its own folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from .agents import DONE, PROMPT, RANG, events, reached
from .flows import KEY

FOLDER: Final = Path(__file__).parent / "codex" / "node_modules" / "@openai"
BINARY: Final = next(iter(sorted(FOLDER.glob("codex-*/vendor/*/bin/codex"))), None)
CALL: Final = f'<tool_call>{{"name": "exec_command", "arguments": {{"cmd": "echo {RANG}"}}}}</tool_call>'

# No telemetry and no approval prompts: the command, which is `echo`, runs without a sandbox.
CONFIG: Final = """
model = "scripted"
model_provider = "gonogo"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.gonogo]
name = "gonogo"
base_url = "{base_url}"
wire_api = "responses"
env_key = "GONOGO_KEY"
request_max_retries = 0
stream_max_retries = 0
"""


def answer(prompt: str) -> str:
    """A call of the shell, and after its output the end of the turn."""
    return DONE if RANG in prompt.splitlines() else CALL


@pytest.mark.skipif(
    BINARY is None, reason="Codex is not installed: uv run npm ci --prefix tests/clients/codex"
)
@pytest.mark.parametrize("translated", [False, True], ids=["itself", "translated by a gateway"])
def test_codex_completes_a_turn_with_a_tool_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, translated: bool
) -> None:
    assert BINARY is not None
    monkeypatch.setenv("LAB_API_KEY", KEY)
    home = tmp_path / "home"
    home.mkdir()
    command = [str(BINARY), "exec", "--skip-git-repo-check", "--json", PROMPT]
    with reached(answer, translated=translated) as base_url:
        (home / "config.toml").write_text(CONFIG.format(base_url=base_url))
        told = events(command, {"CODEX_HOME": str(home), "GONOGO_KEY": KEY}, tmp_path)
    items = [event["item"] for event in told if event["type"] == "item.completed"]
    commands = [item for item in items if item["type"] == "command_execution"]
    assert [(command["aggregated_output"].strip(), command["exit_code"]) for command in commands] == [
        (RANG, 0)
    ]
    assert [item["text"] for item in items if item["type"] == "agent_message"] == [DONE]
    assert told[-1]["type"] == "turn.completed"
    assert told[-1]["usage"]["output_tokens"] > len(DONE)
