"""Faults of requests beyond limits: unknown fields, token limits, long prompts, invalid UTF-8; and of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo.exchange import FailureKind
from gonogo.faults.editing import (
    answer,
    answered,
    body,
    both,
    changed,
    each,
    event,
    failing,
    header,
    made,
    put,
    refused,
    silent,
    status,
)
from gonogo.faults.fault import Fault, fault, under
from gonogo.faults.picks import streamed, whole
from gonogo.faults.rule_picks import first, last

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gonogo.faults.editing import Change, Edit

FIELD = first("errors.unknown_field.refused")
LIMIT = last("errors.token_limit.harmless")
BYTES = first("errors.encoding.refused")
CONTEXT = first("errors.context.whole")

UNFIT = {"error": {"message": "No.", "type": "invalid_request_error", "param": "model", "code": None}}
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": []}


def counting(tokens: int | None) -> dict[str, Any]:
    """An answer that reports this number of prompt tokens; None: it reports no usage."""
    usage = {"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": (tokens or 0) + 1}
    return {"choices": [], "usage": None if tokens is None else usage}


def begun(*events: dict[str, Any]) -> tuple[Edit, ...]:
    """A stream of these events without an end, in place of the answer."""
    frames = b"".join(map(event, events))
    return status(200), header("content-type", "text/event-stream"), body(frames)


def _bare(name: str) -> str:
    return name.removeprefix("chatcmpl-")


def _for_each() -> Iterator[Fault]:
    """The answers of servers and frameworks that do not validate, to each of these requests."""
    requests = (
        ("an unknown field", "unknown_field", FIELD),
        ("a token limit beyond every context", "token_limit", LIMIT),
        ("bytes that are not UTF-8", "encoding", BYTES),
        ("a prompt longer than the context", "context", CONTEXT),
    )
    for what, group, pick in requests:
        harmless, exact = under(f"errors.{group}", "harmless", "status")
        yield fault(
            f"{what}: a server error",
            "modular/modular#6673, ardanlabs/kronk#861",
            harmless,
            changed(pick, refused(500)),
        )
        yield fault(
            f"{what}: a dropped connection",
            "a process that ends (ggml-org/llama.cpp#9195)",
            harmless,
            changed(pick, silent(FailureKind.RESET)),
        )
        yield fault(
            f"{what}: 422", "FastAPI's own status (ray-project/ray#64833)", exact, changed(pick, status(422))
        )


FAULTS: tuple[Fault, ...] = (
    *_for_each(),
    fault(
        "unknown fields are passed over",
        "most servers (spring-projects/spring-ai PR#5266)",
        "errors.unknown_field.refused",
        changed(FIELD, answered(counting(9))),
    ),
    fault(
        "bytes that are not UTF-8 are replaced",
        "a decoder that never fails",
        "errors.encoding.refused",
        changed(BYTES, answered(counting(9))),
    ),
    fault(
        "an error in the stream at a token limit beyond every context",
        "a check that comes after the head was sent (lmstudio-ai/lmstudio-bug-tracker#2322)",
        "errors.token_limit.late",
        changed(LIMIT, *begun({"error": {"message": "context length exceeded"}})),
    ),
    fault(
        "a stream that breaks off at a token limit beyond every context",
        "a cache that is asked for as many places",
        "errors.token_limit.harmless",
        changed(LIMIT, *begun(CHUNK), failing(FailureKind.RESET)),
    ),
    fault(
        "a prompt is cut to the context",
        "ollama/ollama#2208",
        "errors.context.whole",
        changed(CONTEXT, answered(counting(4095))),
    ),
    fault(
        "a prompt longer than the context is answered with a redirect",
        "a gateway that looks for another model",
        "errors.context.whole",
        changed(CONTEXT, status(307)),
    ),
    fault(
        "a code of its own for a prompt longer than the context",
        "exceed_context_size_error (ikawrakow/ik_llama.cpp PR#2420)",
        "errors.context.code",
        changed(CONTEXT, answer(put("error.code", "exceed_context_size_error"))),
    ),
    # ---- ids
    fault(
        "completion's ids in chats",
        "triton-inference-server/server#7796",
        "ids.prefix.chat",
        changed(whole("/chat/completions"), answer(made("id", lambda old: old.removeprefix("chat")))),
    ),
    fault(
        "bare ids in chats",
        "a random number",
        "ids.prefix.chat",
        both(
            changed(whole("/chat/completions"), answer(made("id", _bare))),
            changed(streamed("/chat/completions"), each(made("id", _bare))),
        ),
    ),
    fault(
        "bare ids in streamed chats",
        "two pieces of code",
        "ids.prefix.chat",
        changed(streamed("/chat/completions"), each(made("id", _bare))),
    ),
    fault(
        "chat's ids in completions",
        "BerriAI/litellm#14429, ikawrakow/ik_llama.cpp#767",
        "ids.prefix.completions",
        changed(whole("/completions"), answer(made("id", lambda old: f"chat{old}"))),
    ),
    fault(
        "chat's ids in streamed completions",
        "ikawrakow/ik_llama.cpp#767",
        "ids.prefix.completions",
        changed(streamed("/completions"), each(made("id", lambda old: f"chat{old}"))),
    ),
)

HARMLESS: Mapping[str, Change] = {
    "a token limit beyond every context is made smaller": changed(LIMIT, *begun(CHUNK, CHUNK)),
    "a longer context than is listed": changed(CONTEXT, answered(counting(1_000_000))),
    "a longer context than is listed, and no count of the prompt": changed(CONTEXT, answered(counting(None))),
    "fewer bytes of a body than would fill the context": changed(CONTEXT, refused(413)),
    "a prompt longer than the context, for a model that generates nothing": changed(
        CONTEXT, answered(UNFIT, 400)
    ),
    "an overload at a prompt longer than the context": changed(CONTEXT, refused(503)),
}
