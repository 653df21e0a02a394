"""One run of the rules about gateways: this project's gateway, in its own process, before the suite's upstream."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from gonogo import running
from gonogo.collection import Approach
from gonogo.rules import load
from gonogo.running import Selection
from gonogo.stimuli import plays
from gonogo.upstream import Behind

if TYPE_CHECKING:
    from pathlib import Path

    from gonogo.rules import Catalogue

KEY = "a-key-of-a-client-of-the-tests"
PATIENCE = 60.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def gateway(upstream: str, port: int) -> subprocess.Popen[bytes]:
    """This project's gateway with two providers, each with its own key and path of the upstream."""
    command = [sys.executable, "-m", "gonogo_server", "--port", str(port), "--log-format", "off"]
    command += ["--provider", f"lab={upstream}/v1", "--provider", f"other={upstream}/second/v1"]
    keys = {"LAB_API_KEY": plays.KEY, "OTHER_API_KEY": plays.SECOND_KEY, "GONOGO_SERVER_API_KEY": KEY}
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | keys
    )


@pytest.fixture(scope="session")
def gateway_rules() -> Catalogue:
    return load(gateway=True)


@pytest.fixture(scope="session")
def stored(gateway_rules: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evidence of a run on the gateway."""
    path, port = tmp_path_factory.mktemp("behind") / "clean.jsonl", free_port()
    with ExitStack() as stack:

        def start(url: str) -> None:
            process = stack.enter_context(gateway(url, port))
            stack.callback(process.kill)

        approach = Approach(
            f"http://127.0.0.1:{port}/v1",
            KEY,
            timeout=PATIENCE,
            evidence=path,
            behind=Behind(wait=PATIENCE, on_listening=start),
        )
        running.check(approach, Selection(gateway=True), gateway_rules)
    return path
