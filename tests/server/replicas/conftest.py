"""Replicas on loopback."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from .environment import ENV, made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 240.0
"""Seconds after which a hanging test is stopped. Ray starts seven processes, on a busy machine in two minutes."""
LINE = re.compile(r"\(ServeReplica:gonogo:gonogo pid=(\d+)\) (\{.*\})")


@dataclass
class Replicated:
    """`gonogo serve --replicas` as a process, and the log of its replicas."""

    process: subprocess.Popen[str]
    url: str
    said: list[str]
    log: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Events, each with the process id of its replica."""
    more: threading.Condition = field(default_factory=threading.Condition)

    def follow(self) -> None:
        """Read the log to its end."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := LINE.search(line):
                with self.more:
                    self.log.append((int(found[1]), json.loads(found[2])))
                    self.more.notify_all()

    def wait(self, event: str, where: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The first event of this name for which `where` holds, after waiting for it."""

        def found() -> dict[str, Any] | None:
            return next((told for _, told in self.log if told["event"] == event and where(told)), None)

        with self.more:
            told = self.more.wait_for(found, PATIENCE)
        assert told is not None, f"no {event} in {len(self.log)} events"
        return told

    def replicas(self) -> set[int]:
        """The process ids of the replicas that have answered."""
        with self.more:
            return {pid for pid, told in self.log if told["event"] == "request_finished"}


@contextmanager
def serving(python: Path, *options: str) -> Iterator[Replicated]:
    """Two replicas with these options."""
    command = [
        python,
        "-m",
        "gonogo_server",
        "--replicas",
        "2",
        "--port",
        "0",
        "--log-format",
        "json",
        *options,
    ]
    with subprocess.Popen(
        command, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line.rstrip())
                if "listening" in line:
                    break
            listening = re.search(r"listening on (\S+)", "\n".join(said))
            assert listening, process.stderr and process.stderr.read()
            served = Replicated(process, listening[1], said)
            threading.Thread(target=served.follow, daemon=True).start()
            yield served
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="session")
def ray_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python interpreter with the extra `ray`."""
    python, missing = made(tmp_path_factory.mktemp("ray") / "venv")
    if missing:
        pytest.skip(f"Ray cannot be installed here: {missing}")
    return python
