"""Codex runs a turn with a tool call on the server, which answers from a script, entirely on loopback.

Its binary comes with npm and takes 400 MB, so it has its own folder.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import pytest

from .flows import KEY
from .scripted import serving, translating

FOLDER: Final = Path(__file__).parent / "codex" / "node_modules" / "@openai"
BINARY: Final = next(iter(sorted(FOLDER.glob("codex-*/vendor/*/bin/codex"))), None)
PATIENCE: Final = 60.0
RANG: Final = "it-rang"
CALL: Final = f'<tool_call>{{"name": "exec_command", "arguments": {{"cmd": "echo {RANG}"}}}}</tool_call>'
DONE: Final = "The bell rang."
CONTEXT: Final = 2**20
"""Bytes, which are the tokens of the scripted engine: Codex sends 40 KB with its first request."""

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
NOWHERE: Final = "http://127.0.0.1:9"
"""A proxy that does not exist, for requests beyond loopback."""


def answer(prompt: str) -> str:
    """A call of the shell, and after its output the end of the turn."""
    return DONE if RANG in prompt.splitlines() else CALL


def events_of(base_url: str, binary: Path, folder: Path) -> list[dict[str, Any]]:
    """The events of a turn of Codex, with its own home and working folder."""
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    (home / "config.toml").write_text(CONFIG.format(base_url=base_url))
    environment = {
        "HOME": str(home),
        "CODEX_HOME": str(home),
        "GONOGO_KEY": KEY,
        "PATH": "/usr/bin:/bin",
        "TMPDIR": str(folder),
        "HTTPS_PROXY": NOWHERE,
        "HTTP_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1",
    }
    ran = subprocess.run(
        [str(binary), "exec", "--skip-git-repo-check", "--json", "-C", str(work), "Ring the bell."],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert list(work.iterdir()) == []
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]


@pytest.mark.skipif(
    BINARY is None, reason="Codex is not installed: uv run npm ci --prefix tests/clients/codex"
)
@pytest.mark.parametrize("translated", [False, True], ids=["itself", "translated by a gateway"])
def test_codex_completes_a_turn_with_a_tool_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, translated: bool
) -> None:
    assert BINARY is not None
    monkeypatch.setenv("LAB_API_KEY", KEY)
    with (
        serving(answer, CONTEXT) as server,
        translating(server) if translated else nullcontext(server) as base_url,
    ):
        events = events_of(base_url, BINARY, tmp_path)
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    commands = [item for item in items if item["type"] == "command_execution"]
    assert [(command["aggregated_output"].strip(), command["exit_code"]) for command in commands] == [
        (RANG, 0)
    ]
    assert [item["text"] for item in items if item["type"] == "agent_message"] == [DONE]
    assert events[-1]["type"] == "turn.completed"
    assert events[-1]["usage"]["output_tokens"] > len(DONE)
