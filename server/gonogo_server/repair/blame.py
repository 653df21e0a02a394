"""Reads from a report the requests at which an upstream failed, and finds their distinguishing features. No I/O.

A rule about failures (`http.survives`, `http.no_server_error`, `http.complete`) is broken by particular requests. The
report shows their bodies, in the text of the verdict or in the command that repeats the request.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gonogo_server.repair.refusals import apart, subject
from gonogo_server.repair.table.row import Does
from gonogo_server.repair.used_parameters import characters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gonogo_server.repair.base import Document, Operation

TOO_LONG: Final = ("errors.context.harmless", "errors.context.whole", "embeddings.input.not_cut")
RULES: Final = ("http.survives", "http.no_server_error", "http.complete")
OPERATIONS: Final[Mapping[str, Operation]] = {
    "/chat/completions": "chat",
    "/completions": "completion",
    "/embeddings": "embedding",
}
SENT: Final = re.compile(r"POST (/chat/completions|/completions|/embeddings) (?=\{)")
ADDRESS: Final = re.compile(r"https?://\S*?(/chat/completions|/completions|/embeddings)(?:\?\S*)?$")
INSTEAD: Final[Mapping[Does, tuple[Does, str]]] = {
    Does.REFUSE_PROMPT_LISTS: (Does.PROMPTS, "Each prompt of a list becomes a separate request."),
    Does.REFUSE_ECHO: (Does.ECHO, "The gateway prepends the prompt to the text."),
}
"""Features that can be emulated instead of refused."""


@dataclass(frozen=True, slots=True)
class Blame:
    """A rule about failures, and how a request that broke it is handled."""

    rule: str
    does: Does | None
    what: str


def blamed(rules: Sequence[Document]) -> Iterator[Blame]:
    """The handling of each failed request in a report, without duplicates within a rule."""
    commands = dict(_commands(rules))
    for rule in rules:
        if rule["id"] in RULES and rule["verdict"] == "fail":
            found = list(dict.fromkeys(_blames(rule, commands)))
            # Of several suspects, those without a distinguishing feature are dropped.
            yield from [blame for blame in found if blame.does is not None] or found


def longest(rules: Sequence[Document]) -> Mapping[Operation, int]:
    """The length in characters of the prompt at which an upstream failed instead of refusing it, by operation."""
    found: dict[Operation, int] = {}
    for rule in rules:
        sent = _sent(str(rule.get("curl"))) if rule["id"] in TOO_LONG and rule["verdict"] == "fail" else None
        if sent is not None:
            operation, body = sent
            found[operation] = min(characters(body), found.get(operation, sys.maxsize))
    return found


def _blames(rule: Document, commands: Mapping[str, str]) -> Iterator[Blame]:
    requests = list(_requests_in(str(rule.get("actual") or "")))
    # The command of `http.survives` is the plain request that was sent afterwards.
    if not requests and rule["id"] != "http.survives":
        sent = [commands[each] for each in rule.get("exchanges") or () if each in commands]
        requests = [request for command in sent if (request := _sent(command)) is not None]
    for operation, body in requests:
        does = apart(body, operation)
        if does is None:
            yield Blame(rule["id"], None, json.dumps(body))
        else:
            yield Blame(rule["id"], *INSTEAD.get(does, (does, f"{subject(does)} refused.")))


def _requests_in(words: str) -> Iterator[tuple[Operation, Document]]:
    """The requests in the text of a verdict."""
    for match in SENT.finditer(words):
        try:
            body, _ = json.JSONDecoder().raw_decode(words, match.end())
        except ValueError:  # truncated
            continue
        yield OPERATIONS[match[1]], body


def _commands(rules: Sequence[Document]) -> Iterator[tuple[str, str]]:
    """Each exchange's id and the command that repeats it, from rules about one exchange."""
    for rule in rules:
        exchanges, command = rule.get("exchanges"), rule.get("curl")
        if isinstance(exchanges, list) and isinstance(command, str) and len(exchanges) == 1:
            yield exchanges[0], command
    for rule in rules:  # for several exchanges, the command repeats the first
        exchanges, command = rule.get("exchanges"), rule.get("curl")
        if rule["id"] in RULES and exchanges and isinstance(command, str):
            yield exchanges[0], command


def _sent(command: str) -> tuple[Operation, Document] | None:
    try:
        words = shlex.split(command)
        body = json.loads(words[words.index("--data-raw") + 1])
    except (ValueError, IndexError):
        return None
    address = next((match for word in words if (match := ADDRESS.search(word))), None)
    return (OPERATIONS[address[1]], body) if address is not None and isinstance(body, dict) else None
