"""Small reports and requests for tests of the gateway's quirks and plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.repair.base import Requested
from gonogo_server.repair.plan import plan
from gonogo_server.repair.quirks import NONE, Quirks

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document, Operation
    from gonogo_server.repair.plan import Plan

MESSAGES = [{"role": "user", "content": "Hi"}]


def rule(name: str, verdict: str = "fail", **more: object) -> Document:
    """The entry of a rule, with the members that the gateway reads."""
    return {
        "id": name,
        "verdict": verdict,
        "cause": None,
        "reason": None,
        "actual": None,
        "exchanges": [],
        "curl": None,
        **more,
    }


def report(*rules: Document | str) -> Document:
    """A report with these rules; a name alone is a rule that failed."""
    return {
        "report_version": 2,
        "rules": [rule(each) if isinstance(each, str) else each for each in rules],
    }


def quirks(*rules: Document | str) -> Quirks:
    """The quirks of a server that breaks these rules; without rules, of a server that was never checked."""
    return Quirks.read(report(*rules)) if rules else NONE


class Notes(list[str]):
    """The noted rules, in order."""

    def __call__(self, name: str) -> None:
        self.append(name)


def asked_by(document: Document, operation: Operation) -> Requested:
    """The properties of a request, as the gateway reads them."""
    prompt = document.get("prompt")
    prompts = len(prompt) if isinstance(prompt, list) and not isinstance(prompt[0], int) else 1
    return Requested(
        operation,
        str(document.get("model", "m")),
        stream=bool(document.get("stream")),
        include_usage=bool((document.get("stream_options") or {}).get("include_usage")),
        choices=prompts * (document.get("n") or 1),
        logprobs=document.get("logprobs") not in (None, False),
        tools=bool(document.get("tools")),
    )


def chat(*broken: Document | str, notes: Notes | None = None, **members: object) -> Plan:
    """The plan for a chat."""
    document = {"model": "m", "messages": MESSAGES, **members}
    return plan(document, asked_by(document, "chat"), quirks(*broken), Notes() if notes is None else notes)


def completion(*broken: Document | str, notes: Notes | None = None, **members: object) -> Plan:
    """The plan for a completion."""
    document = {"model": "m", "prompt": "Hi", **members}
    return plan(
        document, asked_by(document, "completion"), quirks(*broken), Notes() if notes is None else notes
    )


def embedding(*broken: Document | str, notes: Notes | None = None, **members: object) -> Plan:
    """The plan for embeddings."""
    document = {"model": "m", "input": "Hi", **members}
    return plan(
        document, asked_by(document, "embedding"), quirks(*broken), Notes() if notes is None else notes
    )


def run(made: Plan, chunks: list[Document], number: int = 0) -> list[Document]:
    """The chunks of an answer after the stages of a plan."""
    stages = made.stages(number)
    for stage in stages:
        chunks = [out for chunk in chunks for out in stage.chunk(chunk)] + list(stage.end())
    return chunks


def texts(chunks: list[Document]) -> dict[int, str]:
    """The text of each choice, of chats and of completions."""
    said: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            piece = choice["delta"].get("content") if "delta" in choice else choice["text"]
            said[choice["index"]] = said.get(choice["index"], "") + (piece or "")
    return said


def reasons(chunks: list[Document]) -> dict[int, list[str]]:
    """The finish reasons of each choice, in order."""
    given: dict[int, list[str]] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            if choice.get("finish_reason") is not None:
                given.setdefault(choice["index"], []).append(choice["finish_reason"])
    return given


def spoken(*pieces: str, index: int = 0, reason: str | None = "length", **more: object) -> list[Document]:
    """The chunks of a chat with these pieces of text."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", **more}
    deltas: list[Document] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
    said = [
        {**head, "choices": [{"index": index, "delta": delta, "logprobs": None, "finish_reason": None}]}
        for delta in deltas
    ]
    if reason is None:
        return said
    last = {"index": index, "delta": {}, "logprobs": None, "finish_reason": reason}
    return [*said, {**head, "choices": [last]}]


def counted(prompt: int, completion_tokens: int, **more: object) -> Document:
    """The chunk with the usage."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [],
        "usage": usage(prompt, completion_tokens),
        **more,
    }


def usage(prompt: int, completion_tokens: int) -> Document:
    """Consistent usage."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt + completion_tokens,
    }


def answered(*contents: str, reason: str = "length", **more: object) -> Document:
    """A whole chat with these choices."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": content, "refusal": None},
                "logprobs": None,
                "finish_reason": reason,
            }
            for index, content in enumerate(contents)
        ],
        "usage": usage(3, 4),
        **more,
    }
