"""Faults of whole messages, and others that keep the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.faults.editing import answer, answered, both, changed, cut, each, header, made, put, raw, status
from gonogo.faults.fault import Fault, fault
from gonogo.faults.message_edits import (
    COUNT,
    NAMED,
    PLAIN,
    RESULTS,
    SHORT,
    STOPPED,
    STREAM,
    STREAMS,
    STRUCTURED,
    TEXTS,
    WHOLES,
    message,
    text,
)
from gonogo.faults.named_events import within
from gonogo.faults.picks import either
from gonogo.judge.checks.message_answers import ENDED_AT_ONCE
from gonogo.judge.message_order import BLOCK_DELTA, BLOCK_START, MESSAGE_DELTA, MESSAGE_START

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Change, Json, JsonEdit

GREEDY: Final = either(PLAIN, STREAM)
"""The two texts that are compared with chat."""

# One field of complete messages, and the rule about it.
_FIELDS: Final[tuple[tuple[str, str, str, JsonEdit], ...]] = (
    ("whole messages without an id", "a hand-made answer", "messages.response.id", cut("id")),
    ("messages that call themselves chat.completion", "vllm-project/vllm PR#34053", "messages.response.type",
     put("type", "chat.completion")),
    ("messages of the user", "a translation that keeps the last role", "messages.response.role", put("role", "user")),
    ("messages without a model", "a hand-made answer", "messages.response.model", cut("model")),
    ("a string as the content of messages", "chat's form", "messages.response.content", put("content", "Hello")),
    ("length as the stop reason of messages", "chat's word", "messages.response.stop_reason",
     put("stop_reason", "length")),
    ("null as the stop reason of whole messages", "the state of a stream", "messages.response.stop_reason",
     put("stop_reason", None)),
    ("messages without a stop sequence", "Ollama, source", "messages.response.stop_sequence", cut("stop_sequence")),
    ("messages without output tokens", "the usage of chat", "messages.response.usage", cut("usage.output_tokens")),
    ("messages without usage", "anthropic-python passes it on", "messages.response.usage", cut("usage")),
    ("null as the count of cached tokens is a word", "a field of one's own", "messages.response.usage",
     put("usage.cache_read_input_tokens", "none")),
)  # fmt: skip


def _longer(more: str) -> JsonEdit:
    """The stop sequence and more text follow the text."""

    def edit(value: Json) -> None:
        value["content"][0]["text"] += more

    return edit


def _with_stop(more: str) -> Change:
    def edit(exchange: Exchange) -> Exchange:
        stop = exchange.request.fields["stop_sequences"][-1]
        return answer(_longer(stop + more))(exchange)

    return changed(STOPPED, edit)


def _as_thinking(value: Json) -> None:
    said = value["content"][0]["text"]
    value["content"] = [{"type": "thinking", "thinking": said, "signature": ""}]
    value["stop_reason"] = "end_turn"


def _silent(value: Json) -> None:
    """There is no content although tokens of a text were counted."""
    value |= {"content": [], "stop_reason": "end_turn"}


def _counted(path: str, by: int) -> JsonEdit:
    return made(path, lambda old: old + by)


FAULTS: tuple[Fault, ...] = (
    *(fault(name, by, rule, changed(TEXTS, answer(edit))) for name, by, rule, edit in _FIELDS),
    fault(
        "an empty id of a message",
        "a field that is filled in later",
        "messages.response.id_not_empty",
        changed(PLAIN, answer(put("id", ""))),
    ),
    fault(
        "messages with status 201",
        "a resource that was created",
        "messages.response.status",
        changed(PLAIN, status(201)),
    ),
    fault(
        "messages as text/plain",
        "a framework's default",
        "messages.response.content_type",
        changed(WHOLES, header("content-type", "text/plain")),
    ),
    fault(
        "NaN in a message",
        "a count that was divided by 0",
        "messages.response.json",
        changed(SHORT, raw(lambda old: old.replace(b'"output_tokens":8', b'"output_tokens":NaN'))),
    ),
    fault(
        "every message has one id",
        "a constant in place of a count",
        "messages.response.id_unique",
        changed(WHOLES, answer(put("id", "msg_1"))),
    ),
    fault(
        "a block of text without its text",
        "a block that is filled in later",
        "messages.response.blocks",
        changed(PLAIN, answer(cut("content.0.text"))),
    ),
    fault(
        "a block of text that is called output_text",
        "the name of the parts of responses",
        "messages.response.blocks",
        changed(SHORT, answer(put("content.0.type", "output_text"))),
    ),
    fault(
        "a message that lost its text",
        "a parser that drops the last block",
        "messages.response.has_text",
        changed(PLAIN, answer(_silent)),
    ),
    fault(
        "the whole answer comes as thinking",
        "raullenchai/Rapid-MLX PR#213 and PR#223",
        "messages.response.has_text",
        changed(PLAIN, answer(_as_thinking)),
    ),
    fault(
        "an empty block of text before the use of a tool",
        "vllm-project/vllm PR#34053",
        "messages.response.no_empty_text",
        changed(NAMED, answer(made("content", lambda old: [text(""), *old]))),
    ),
    fault(
        "text after the use of a tool",
        "a parser that takes what is left for text",
        "messages.response.order",
        changed(NAMED, answer(made("content", lambda old: [*old, text("Done.")]))),
    ),
    fault(
        "a stop sequence that was not given is reported",
        "a reason that is put into the wrong field",
        "messages.response.stop_sequence_alone",
        changed(PLAIN, answer(put("stop_sequence", "gonogo"))),
    ),
    fault(
        "an unknown reason is reported as a stop sequence",
        "Ollama, source",
        "messages.response.stop_sequence_alone",
        changed(RESULTS, answer(put("stop_reason", "stop_sequence"))),
    ),
    # ---- counts and limits ----
    fault(
        "no tokens of the prompt are counted",
        "a count that nobody fills in",
        "messages.usage.prompt",
        changed(TEXTS, answer(put("usage.input_tokens", 0))),
    ),
    fault(
        "no tokens of the answer are counted",
        "a count that nobody fills in",
        "messages.usage.answer",
        changed(PLAIN, answer(put("usage.output_tokens", 0))),
    ),
    fault(
        "another count of the prompt in streams",
        "a second place where tokens are counted",
        "messages.usage.streamed",
        changed(STREAM, within(MESSAGE_START, edits=[_counted("message.usage.input_tokens", 5)])),
    ),
    fault(
        "max_tokens of messages is passed",
        "thinking that is not counted",
        "messages.limit.max_tokens",
        changed(SHORT, answer(put("usage.output_tokens", 25))),
    ),
    fault(
        "end_turn where the limit ended a message",
        "ollama/ollama#16618, as it was worked around",
        "messages.limit.reason",
        changed(SHORT, answer(put("stop_reason", "end_turn"))),
    ),
    fault(
        "stop sequences of messages are ignored",
        "a field that is not passed on",
        "messages.stop.honoured",
        _with_stop(" and much more than one token holds"),
    ),
    fault(
        "the stop sequence is left in a message",
        "a parser that stops behind it",
        "messages.stop.excluded",
        _with_stop(""),
    ),
    fault(
        "end_turn where a stop sequence ended a message",
        "chat's one word for both",
        "messages.stop.reason",
        changed(STOPPED, answer(put("stop_reason", "end_turn"), put("stop_sequence", None))),
    ),
    fault(
        "end_turn beside the stop sequence that ended a message",
        "llama.cpp",
        "messages.stop.reason",
        changed(STOPPED, answer(put("stop_reason", "end_turn"))),
    ),
    fault(
        "the stop sequence that was found is not reported",
        "Ollama, source: stop_sequence is never filled",
        "messages.stop.named",
        changed(STOPPED, answer(put("stop_sequence", None))),
    ),
    fault(
        "another stop sequence of the list is reported",
        "the first of the list",
        "messages.stop.named",
        changed(STOPPED, answer(put("stop_sequence", "gonogo-never"))),
    ),
    fault(
        "output_config is ignored",
        "a field that is not passed on",
        "messages.structured.kept",
        changed(STRUCTURED, within(BLOCK_DELTA, edits=[put("delta.text", "Hi. ")])),
    ),
    fault(
        "output_config is ignored, and the limit cuts the text",
        "llama.cpp",
        "messages.structured.kept",
        changed(
            STRUCTURED,
            within(BLOCK_DELTA, edits=[put("delta.text", "Hi. ")]),
            within(MESSAGE_DELTA, edits=[put("delta.stop_reason", "max_tokens")]),
        ),
    ),
    # ---- other than chat ----
    fault(
        "another text than chat's in messages",
        "a second template",
        "messages.same.text",
        both(
            changed(PLAIN, answer(made("content.0.text", lambda old: "Well. " + old))),
            changed(STREAM, within(BLOCK_START, edits=[put("content_block.text", "Well. ")])),
        ),
    ),
    fault(
        "another reason than chat's in messages",
        "one word for every end",
        "messages.same.reason",
        both(
            changed(PLAIN, answer(put("stop_reason", "end_turn"))),
            changed(STREAM, within(MESSAGE_DELTA, edits=[put("delta.stop_reason", "end_turn")])),
        ),
    ),
    fault(
        "another count of the prompt than chat's in messages",
        "a second system prompt",
        "messages.same.input",
        both(
            changed(PLAIN, answer(_counted("usage.input_tokens", 3))),
            changed(STREAM, within(MESSAGE_START, edits=[_counted("message.usage.input_tokens", 3)])),
            changed(COUNT, answer(_counted("input_tokens", 3))),
        ),
    ),
    fault(
        "another count of the answer than chat's in messages",
        "one token for the end",
        "messages.same.output",
        both(
            changed(PLAIN, answer(_counted("usage.output_tokens", -1))),
            changed(STREAM, within(MESSAGE_DELTA, edits=[_counted("usage.output_tokens", -1)])),
        ),
    ),
)


def _cached(value: Json) -> None:
    """All prompt tokens but one are cached."""
    usage = value["usage"]
    whole = usage["input_tokens"]
    usage |= {"input_tokens": 1, "cache_read_input_tokens": whole - 1, "cache_creation_input_tokens": 0}


def _thinks(value: Json) -> None:
    value["content"].insert(0, {"type": "thinking", "thinking": "Hm.", "signature": ""})


def _in_two(value: Json) -> None:
    said = value["content"][0]["text"]
    value["content"] = [text(said[:4]), text(said[4:])]


HARMLESS: Mapping[str, Change] = {
    "an object that the limit cuts": changed(
        STRUCTURED,
        within(BLOCK_DELTA, edits=[put("delta.text", '{"gauge')]),
        within(MESSAGE_DELTA, edits=[put("delta.stop_reason", "max_tokens")]),
    ),
    "messages with ids of another kind": changed(WHOLES, answer(made("id", lambda old: f"chatcmpl-{old}"))),
    "a message whose prompt came from a cache": changed(PLAIN, answer(_cached)),
    "messages with a thought that has no signature": changed(
        TEXTS, answer(_thinks), answer(cut("content.0.signature"))
    ),
    "a message whose text is in two blocks": changed(PLAIN, answer(_in_two)),
    "messages with blocks of a new type": changed(
        TEXTS, answer(made("content", lambda old: [*old, {"type": "gonogo", "x": 1}]))
    ),
    "messages with fields of one's own": changed(
        WHOLES, answer(put("container", None), put("timings", {"ms": 5}))
    ),
    "messages without the counts of caches": changed(WHOLES, answer(put("usage.service_tier", "standard"))),
    "the context is the limit of a message": changed(
        SHORT, answer(put("stop_reason", "model_context_window_exceeded"))
    ),
    "a model that ends at once, and says nothing": changed(
        PLAIN, answer(_silent, put("usage.output_tokens", ENDED_AT_ONCE))
    ),
    "a model that ends before its limit": changed(
        SHORT, answer(put("stop_reason", "end_turn"), put("usage.output_tokens", 5))
    ),
    "a message that ends by itself with its last token": changed(
        SHORT, answer(put("stop_reason", "end_turn"), put("content.0.text", "Once upon a time."))
    ),
    "a message that is only thought until its limit": changed(
        either(PLAIN, SHORT), answer(_as_thinking, put("stop_reason", "max_tokens"))
    ),
    "the model refuses to use a tool": changed(NAMED, answered(message(text("No."), reason="refusal"))),
    "texts of messages with spaces at their ends": changed(
        TEXTS, answer(made("content.0.text", lambda old: f" {old} "))
    ),
    "counts of the answer only where a stream ends": changed(
        STREAMS, each(put("message.usage.output_tokens", 0), where=lambda v: v["type"] == MESSAGE_START)
    ),
}
