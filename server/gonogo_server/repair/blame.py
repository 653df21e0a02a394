"""Requests that made an upstream fail, read from a report, and their distinguishing features. No I/O.

A rule about failures (`http.survives`, `http.no_server_error`, `http.complete`) is broken by some request. The report
names it by its body, in the words of the rule or in the command that sends it again.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gonogo_server.repair.refusals import apart, said
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
"""What can be had otherwise, and is not refused then."""


@dataclass(frozen=True, slots=True)
class Blame:
    """A rule about failures, and what is done about a request that broke it."""

    rule: str
    does: Does | None
    what: str


def blamed(rules: Sequence[Document]) -> Iterator[Blame]:
    """What is done about every request that a report shows to have failed, each thing once a rule."""
    commands = dict(_commands(rules))
    for rule in rules:
        if rule["id"] in RULES and rule["verdict"] == "fail":
            found = list(dict.fromkeys(_blames(rule, commands)))
            # Of several suspects, those that nothing sets apart are none.
            yield from [blame for blame in found if blame.does is not None] or found


def longest(rules: Sequence[Document]) -> Mapping[Operation, int]:
    """How many characters the prompt has that was too long for an upstream which does not say so, by operation."""
    found: dict[Operation, int] = {}
    for rule in rules:
        sent = _sent(str(rule.get("curl"))) if rule["id"] in TOO_LONG and rule["verdict"] == "fail" else None
        if sent is not None:
            operation, body = sent
            found[operation] = min(characters(body), found.get(operation, sys.maxsize))
    return found


def _blames(rule: Document, commands: Mapping[str, str]) -> Iterator[Blame]:
    told = list(_told(str(rule.get("actual") or "")))
    # The command of `http.survives` is the plain request that came after.
    if not told and rule["id"] != "http.survives":
        sent = [commands[each] for each in rule.get("exchanges") or () if each in commands]
        told = [request for command in sent if (request := _sent(command)) is not None]
    for operation, body in told:
        does = apart(body, operation)
        if does is None:
            yield Blame(rule["id"], None, json.dumps(body))
        else:
            yield Blame(rule["id"], *INSTEAD.get(does, (does, f"{said(does)} refused.")))


def _told(words: str) -> Iterator[tuple[Operation, Document]]:
    """The requests that the words of a rule name."""
    for match in SENT.finditer(words):
        try:
            body, _ = json.JSONDecoder().raw_decode(words, match.end())
        except ValueError:  # it was cut
            continue
        yield OPERATIONS[match[1]], body


def _commands(rules: Sequence[Document]) -> Iterator[tuple[str, str]]:
    """The commands that send exchanges again, of rules that are about one exchange, by its id."""
    for rule in rules:
        exchanges, command = rule.get("exchanges"), rule.get("curl")
        if isinstance(exchanges, list) and isinstance(command, str) and len(exchanges) == 1:
            yield exchanges[0], command
    for rule in rules:  # of several, the command is of the first
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
