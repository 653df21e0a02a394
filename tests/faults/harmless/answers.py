"""Answers that match the contract and contain more, less or other things than those of the ideal target."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from faults.harmless.picks import (
    CHAT_STREAMS,
    CHATS,
    COMPARED,
    COMPLETIONS,
    JSON_ANSWERS,
    LIMITED,
    LIMITED_STREAM,
    LISTS,
    MODELS,
    PARTS,
    UNPADDED,
    WHOLE,
)
from gonogo.faults.catalogue.event_streams import STREAMS
from gonogo.faults.editing import (
    answer,
    both,
    changed,
    copied,
    cut,
    each,
    event,
    finishes,
    frames,
    has_choice,
    has_usage,
    made,
    nth,
    numbered,
    put,
    raw,
)
from gonogo.faults.picks import asked, but, either, streamed

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.evidence import Record

    Change = Callable[[Record], Record]


def _more(value: Any) -> None:  # noqa: ANN401 - JSON
    """Add an unknown field to every object that has fields; not to a map of tokens or a tool's input."""
    inner = [part for name, part in value.items() if name != "input"] if isinstance(value, dict) else value
    for part in inner if isinstance(inner, list) else ():
        _more(part)
    if isinstance(value, dict) and any(not isinstance(part, float) for part in value.values()):
        value["x_vendor"] = {"region": "eu", "cost": 0.25}


def _reasoned(value: Any) -> None:  # noqa: ANN401 - JSON
    for choice in value["choices"]:
        choice["message"].update(content=None, reasoning_content="The user wants")


def _reasoned_delta(value: Any) -> None:  # noqa: ANN401 - JSON
    for choice in value["choices"]:
        text = choice["delta"].pop("content", None)
        if text:
            choice["delta"].update(content=None, reasoning_content=text)


def _stopped(value: Any) -> None:  # noqa: ANN401 - JSON
    """The model ended by itself after one token."""
    for choice in value["choices"]:
        choice["finish_reason"] = "stop"
    usage = value["usage"]
    usage.update(completion_tokens=1, total_tokens=usage["prompt_tokens"] + 1)


def _no_details(value: Any) -> None:  # noqa: ANN401 - JSON
    for part in ("prompt_tokens_details", "completion_tokens_details"):
        del value["usage"][part]


def _details(value: Any) -> None:  # noqa: ANN401 - JSON
    """The whole prompt comes from a cache, and the whole completion is reasoning."""
    usage = value["usage"]
    usage["prompt_tokens_details"] = {"cached_tokens": usage["prompt_tokens"]}
    usage["completion_tokens_details"] = {"reasoning_tokens": usage["completion_tokens"]}


def _chat_logprobs(value: Any) -> None:  # noqa: ANN401 - JSON
    entry = {"token": "H", "logprob": -0.1, "bytes": [72], "top_logprobs": []}
    for choice in value["choices"]:
        choice["logprobs"] = {"content": [entry], "refusal": None}


def _typed(value: Any, kind: str) -> None:  # noqa: ANN401 - JSON
    for entry in value.get("data", [value]):
        entry["type"] = kind


def _fewer(old: list[bytes]) -> list[bytes]:
    """Text in fewer, larger pieces: one event less."""
    if len(old) <= 6:
        return old
    first, second = (json.loads(frame.removeprefix(b"data: ")) for frame in old[1:3])
    first["choices"][0]["delta"]["content"] += second["choices"][0]["delta"]["content"]
    return [old[0], event(first), *old[3:]]


def _at_once(old: list[bytes]) -> list[bytes]:
    """The role, the whole text, and the end."""
    last = -3 if b'"choices":[]' in old[-2] else -2
    return [old[0], old[1], *old[last:]]


def _role_with_text(old: list[bytes]) -> list[bytes]:
    """The role comes with the first text, not before it."""
    second = json.loads(old[1].removeprefix(b"data: "))
    second["choices"][0]["delta"]["role"] = "assistant"
    return [event(second), *old[2:]]


def _length_counted(value: Any) -> None:  # noqa: ANN401 - JSON
    value["usage"].update(completion_tokens=1, total_tokens=value["usage"]["prompt_tokens"] + 1)


HARMLESS: dict[str, Change] = {
    # ---- more than the contract names
    "unknown fields in every object of an answer": changed(JSON_ANSWERS, answer(_more)),
    "unknown fields in every object of a chunk": changed(STREAMS, each(_more)),
    "reasoning beside null content": changed(CHATS, answer(_reasoned)),
    "reasoning beside the text": changed(CHATS, answer(put("choices.0.message.reasoning_content", "Hm."))),
    "reasoning in the deltas": changed(CHAT_STREAMS, each(_reasoned_delta)),
    "reasoning in both": both(
        changed(CHATS, answer(_reasoned)), changed(CHAT_STREAMS, each(_reasoned_delta))
    ),
    "reasoning in a field called reasoning": changed(
        CHAT_STREAMS, each(lambda v: [c["delta"].update(reasoning="Hm") for c in v["choices"]])
    ),
    "null as the refusal of deltas": changed(
        CHAT_STREAMS, each(lambda v: [c["delta"].update(refusal=None) for c in v["choices"]])
    ),
    "annotations that are empty": changed(CHATS, answer(put("choices.0.message.annotations", []))),
    "no details in usage": changed(WHOLE, answer(_no_details)),
    "no details in a stream's usage": changed(STREAMS, each(_no_details, where=has_usage)),
    "whole counts as details in usage": changed(WHOLE, answer(_details)),
    "whole counts as details in a stream's usage": changed(STREAMS, each(_details, where=has_usage)),
    "a fingerprint": both(
        changed(WHOLE, answer(put("system_fingerprint", "fp_44709d6fcb"))),
        changed(STREAMS, each(put("system_fingerprint", "fp_44709d6fcb"))),
    ),
    "a null fingerprint": both(
        changed(WHOLE, answer(put("system_fingerprint", None))),
        changed(STREAMS, each(put("system_fingerprint", None))),
    ),
    "a service tier": both(
        changed(CHATS, answer(put("service_tier", "default"))),
        changed(CHAT_STREAMS, each(put("service_tier", None))),
    ),
    "obfuscation": changed(
        but(CHAT_STREAMS, UNPADDED), numbered(lambda n, value: value.update(obfuscation="x" * n))
    ),
    "logprobs that nobody asked for": both(
        changed(CHATS, answer(_chat_logprobs)), changed(CHAT_STREAMS, each(_chat_logprobs, where=has_choice))
    ),
    "logprobs left out of chunks": changed(CHAT_STREAMS, each(cut("choices.*.logprobs"))),
    "types of models in other words": changed(MODELS, answer(lambda v: _typed(v, "llm"))),
    "a context length that is not known": changed(
        MODELS, answer(lambda v: [e.update(context_length=None) for e in v.get("data", [v])])
    ),
    "no extensions in models": changed(
        MODELS, answer(lambda v: [(e.pop("type"), e.pop("context_length")) for e in v.get("data", [v])])
    ),
    "permissions and parents in models": changed(
        MODELS,
        answer(lambda v: [e.update(permission=[], root="x", parent=None) for e in v.get("data", [v])]),
    ),
    "pages of models": changed(
        LISTS, answer(put("has_more", value=False), put("first_id", "a"), put("last_id", "b"))
    ),
    "models in another order": changed(
        asked("GET /models #2"), answer(made("data", lambda entries: entries[::-1]))
    ),
    "models of a time that is known": changed(
        MODELS, answer(lambda v: [e.update(created=1_700_000_000) for e in v.get("data", [v])])
    ),
    "a null shutdown date": changed(
        MODELS, answer(lambda v: [e.update(shutdown_date=None) for e in v.get("data", [v])])
    ),
    # ---- less than is usual
    "no usage in a chunk that is not the last": changed(
        STREAMS, each(lambda v: v.pop("usage", None), where=has_choice)
    ),
    "null usage in every ordinary chunk": changed(STREAMS, each(put("usage", None), where=has_choice)),
    "content left out of the first delta": changed(CHAT_STREAMS, nth(0, cut("choices.*.delta.content"))),
    "an empty delta at the end": changed(
        CHAT_STREAMS, each(lambda v: [c.update(delta={}) for c in v["choices"]], where=finishes)
    ),
    "null content in the last delta": changed(
        CHAT_STREAMS,
        each(lambda v: [c["delta"].update(content=None) for c in v["choices"]], where=finishes),
    ),
    # ---- other answers
    "a dated name of the model": both(
        changed(WHOLE, answer(put("model", "scripted-2026-11-14"))),
        changed(STREAMS, each(put("model", "scripted-2026-11-14"))),
    ),
    "a model that stops early": changed(but(WHOLE, COMPARED), answer(_stopped)),
    "a model that stops early in streams": changed(
        but(STREAMS, COMPARED),
        each(put("choices.*.finish_reason", "stop"), where=finishes),
        each(_length_counted, where=has_usage),
    ),
    "a model that says nothing": both(
        changed(CHATS, answer(put("choices.0.message.content", ""), _stopped)),
        changed(
            CHAT_STREAMS,
            frames(lambda old: [old[0], *old[len(old) - (3 if b'"choices":[]' in old[-2] else 2) :]]),
            each(put("choices.*.finish_reason", "stop"), where=finishes),
            each(_length_counted, where=has_usage),
        ),
    ),
    "content that is filtered": changed(
        but(WHOLE, either(LIMITED, asked('POST /completions {"max_tokens":2,"temperature":0}'))),
        answer(put("choices.0.finish_reason", "content_filter")),
    ),
    "a refusal by the model": changed(
        CHATS,
        answer(
            put("choices.0.message.content", None), put("choices.0.message.refusal", "I cannot."), _stopped
        ),
    ),
    "text of another alphabet": changed(
        but(CHAT_STREAMS, COMPARED), nth(1, put("choices.0.delta.content", "Grüße \u2028 🎉"))
    ),
    "escapes in place of characters": changed(
        but(CHAT_STREAMS, COMPARED),
        raw(lambda data: data.replace(b'"content":"H"', b'"content":"\\ud83c\\udf89"')),
    ),
    "larger pieces of text": changed(CHAT_STREAMS, frames(_fewer)),
    "the role with the first text": changed(CHAT_STREAMS, frames(_role_with_text)),
    "empty deltas between": changed(CHAT_STREAMS, copied(1, 2, put("choices.0.delta", {}))),
    "one created for the whole stream, a second late": changed(
        CHATS, answer(made("created", lambda seconds: seconds + 5))
    ),
    "a limit that is not used up": changed(LIMITED_STREAM, each(_length_counted, where=has_usage)),
    "completions without text": both(
        changed(COMPLETIONS, answer(put("choices.0.text", ""), _stopped)),
        changed(streamed("/completions"), each(put("choices.*.text", ""))),
    ),
    "a line end more around a text part": changed(
        PARTS,
        answer(made("usage.prompt_tokens", lambda n: n + 1), made("usage.total_tokens", lambda n: n + 1)),
    ),
    "an answer with the text in one piece": changed(but(CHAT_STREAMS, COMPARED), frames(_at_once)),
    "the finish reason in a chunk that has role and content": changed(
        CHAT_STREAMS,
        each(lambda v: [c.update(delta={"content": ""}) for c in v["choices"]], where=finishes),
    ),
}
