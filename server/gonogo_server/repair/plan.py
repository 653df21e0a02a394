"""The requests to an upstream for one client request, and the processing of their answers. No I/O.

Without quirks a plan is the request itself. A plan may have several requests. Each answer passes through the general
repairs and then the stages of its request; a joiner joins all answers. A plan may also request a whole answer if the
client wants a stream (`chunks`), or a stream if the client wants a whole answer (`fold`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gonogo_server.errors import BadRequest
from gonogo_server.repair import refusals
from gonogo_server.repair.emulation import whole
from gonogo_server.repair.emulation.alternatives import Alternatives
from gonogo_server.repair.emulation.choices import Joined, Parts, by_choice, by_input, by_prompt, is_several
from gonogo_server.repair.emulation.echo import Echo
from gonogo_server.repair.emulation.length import UNLIMITED, Length
from gonogo_server.repair.emulation.members import EDITS, without, written
from gonogo_server.repair.emulation.padding import NoPadding
from gonogo_server.repair.emulation.stop import Stop
from gonogo_server.repair.fold import fold
from gonogo_server.repair.table.row import Does
from gonogo_server.repair.used_parameters import characters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gonogo_server.repair.base import Document, Joiner, Noted, Operation, Requested
    from gonogo_server.repair.emulation.base import Emulation
    from gonogo_server.repair.quirks import Quirks

WHOLE: Final[Mapping[Operation, Does]] = {"chat": Does.CHAT_WHOLE, "completion": Does.COMPLETION_WHOLE}
COUNTED_WHOLE: Final[Mapping[Operation, Does]] = {
    "chat": Does.CHAT_USAGE_WHOLE,
    "completion": Does.COMPLETION_USAGE_WHOLE,
}
STREAMED: Final[Mapping[Operation, Does]] = {
    "chat": Does.CHAT_STREAMED,
    "completion": Does.COMPLETION_STREAMED,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Requests for the upstream, in the order of their answers."""

    requests: tuple[Document, ...]
    requested: Requested
    """The properties of each request to the upstream; repairs follow these, not the client's."""
    client: Requested
    quirks: Quirks
    noted: Noted
    document: Document
    """The client's request."""
    parts: Parts
    joined_for: str = ""
    """The rule that requires several requests."""

    def stages(self, number: int = 0) -> Sequence[Emulation]:
        """New stages for the answer to a request, in order; none if nothing is done."""
        does = self.quirks.does
        if not does:
            return ()
        made = [build(self, does, number) for build in _BUILDERS]
        return [stage for stage in made if stage is not None]

    def joiner(self) -> Joiner | None:
        """A new joiner of all answers; None if there is only one."""
        return Joined(self.parts, self.joined_for, self.noted) if len(self.requests) > 1 else None

    def body(self, number: int, body: Document) -> Document:
        """A repaired whole answer after the stages of its request."""
        for stage in self.stages(number):
            body = stage.body(body)
        return body

    def chunks(self, body: Document) -> Sequence[Document]:
        """The stream for the client from a whole answer, if `client` wants one and `requested` does not."""
        return whole.chunks(body, self.client)

    def fold(self, chunks: Iterable[Document]) -> Document:
        """The whole answer from repaired chunks, if `requested` requests a stream and `client` does not."""
        return fold(self.client, chunks)


def plan(document: Document, requested: Requested, quirks: Quirks, noted: Noted) -> Plan:
    """The requests for `document`, which matches the contract, and the processing of their answers.

    `noted` is called with the rule of each change. Raises `BadRequest` with code `unsupported_parameter` for features
    that the upstream would ignore or fail at.
    """
    if not quirks.does:
        return Plan(
            (document,),
            requested,
            requested,
            quirks,
            noted,
            document,
            Parts((document,), (0,), requested.choices),
        )
    refusal = refusals.find(document, requested.operation, quirks.does)
    if refusal is not None:
        raise refusal
    _check_length(document, requested.operation, quirks)
    turned, upstream = _turned(document, requested, quirks, noted)
    parts, rule = _parted(_without_emulated(turned, upstream, quirks.does), upstream, quirks)
    requests = tuple(written(each, quirks.does, noted, EDITS) for each in parts.requests)
    each = (
        upstream
        if len(requests) == 1
        else replace(upstream, choices=parts.each, inputs=upstream.inputs and 1)
    )
    return Plan(requests, each, requested, quirks, noted, document, parts, rule)


def _check_length(document: Document, operation: Operation, quirks: Quirks) -> None:
    most = quirks.longest.get(operation) if Does.TOO_LONG in quirks.does else None
    given = characters(document) if most is not None else 0
    if most is not None and given >= most:
        # LangChain and LiteLLM recognise "prompt is too long".
        raise BadRequest(
            f"The prompt is too long: it has {given} characters, and the server of this provider "
            f"failed at {most}. Shorten it.",
            param=next(name for name in ("messages", "prompt", "input") if name in document),
            code="context_length_exceeded",
        )


def _turned(
    document: Document, requested: Requested, quirks: Quirks, noted: Noted
) -> tuple[Document, Requested]:
    """The request for a whole answer instead of a stream, or the reverse, if a quirk requires it."""
    rule = _turn(document, requested, quirks)
    if rule is None:
        return document, requested
    noted(rule)
    if requested.stream:
        return without(document, "stream", "stream_options"), replace(
            requested, stream=False, include_usage=False
        )
    counted = quirks.rule(Does.REFUSE_USAGE) is None
    options: Document = {"stream_options": {"include_usage": True}} if counted else {}
    return {**document, "stream": True, **options}, replace(requested, stream=True, include_usage=counted)


def _turn(document: Document, requested: Requested, quirks: Quirks) -> str | None:
    operation = requested.operation
    if operation == "embedding":
        return None
    if not requested.stream:
        return quirks.rule(STREAMED[operation])
    rule = quirks.rule(WHOLE[operation])
    if rule is None and requested.include_usage:
        rule = quirks.rule(COUNTED_WHOLE[operation])
    if rule is None and document.get("tools"):
        rule = quirks.rule(Does.CHAT_CALLS_WHOLE)
    return rule


def _without_emulated(document: Document, requested: Requested, does: Mapping[Does, str]) -> Document:
    """The request without the parameters that the gateway emulates."""
    if Does.STOP in does or (requested.stream and Does.STOP_IN_STREAMS in does):
        document = without(document, "stop")
    if Does.ECHO in does and document.get("echo"):
        document = without(document, "echo")
    if (
        requested.operation == "embedding"
        and Does.BASE64 in does
        and document.get("encoding_format") == "base64"
    ):
        document = {**document, "encoding_format": "float"}
    return document


def _parted(document: Document, requested: Requested, quirks: Quirks) -> tuple[Parts, str]:
    """One request or several, and the rule that requires several."""
    one = Parts((document,), (0,), requested.choices)
    if requested.operation == "embedding":
        rule = quirks.rule(Does.INPUTS)
        return (by_input(document), rule) if rule is not None else (one, "")
    rule = quirks.rule(Does.CHOICES)
    choices = document.get("n") or 1
    several = is_several(document.get("prompt"))
    if rule is not None and choices > 1:
        return by_choice(by_prompt(document, choices)), rule
    listed = quirks.rule(Does.PROMPTS)
    return (by_prompt(document, choices), listed) if listed is not None and several else (one, "")


def _stop(made: Plan, does: Mapping[Does, str], number: int) -> Emulation | None:
    del number
    stop = made.document.get("stop")
    stops = [stop] if isinstance(stop, str) else stop
    rule = does.get(Does.STOP) or does.get(Does.STOP_SENT)
    if rule is None and made.requested.stream:
        rule = does.get(Does.STOP_IN_STREAMS)
    return Stop(stops, made.requested, rule, made.noted) if stops and rule else None


def _echo(made: Plan, does: Mapping[Does, str], number: int) -> Emulation | None:
    rule = does.get(Does.ECHO)
    if rule is None or not made.document.get("echo"):
        return None
    prompt = made.parts.requests[number].get("prompt")
    prompts = prompt if isinstance(prompt, list) else [prompt or ""]
    return Echo(prompts, max(1, made.requested.choices // len(prompts)), rule, made.noted)


def _length(made: Plan, does: Mapping[Does, str], number: int) -> Emulation | None:
    del number
    rule, requested = does.get(Does.LENGTH), made.document
    limit = requested.get("max_completion_tokens") or requested.get("max_tokens")
    if limit is None and made.client.operation == "completion":
        limit = UNLIMITED
    return Length(limit, rule, made.noted) if rule is not None and limit else None


def _alternatives(made: Plan, does: Mapping[Does, str], number: int) -> Emulation | None:
    del number
    rule = does.get(Does.ALTERNATIVES)
    if rule is None or made.client.operation != "chat" or not made.document.get("logprobs"):
        return None
    return Alternatives(made.document.get("top_logprobs") or 0, rule, made.noted)


def _padding(made: Plan, does: Mapping[Does, str], number: int) -> Emulation | None:
    del number
    rule, options = does.get(Does.NO_PADDING), made.document.get("stream_options")
    unwanted = isinstance(options, dict) and options.get("include_obfuscation") is False
    return NoPadding(rule, made.noted) if rule is not None and unwanted else None


_BUILDERS: Final = (_length, _stop, _echo, _alternatives, _padding)
"""In the order of the stages: `stop` must not apply to an echoed prompt."""
