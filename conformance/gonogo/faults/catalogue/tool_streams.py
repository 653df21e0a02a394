"""Faults of tool calls in streams: fragments that cannot be joined; and harmless variations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonogo.faults.editing import (
    answer,
    both,
    changed,
    cut,
    each,
    event,
    finishes,
    frames,
    has_choice,
    made,
    put,
    without,
)
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import asked, either
from gonogo.stimuli.tools import REQUESTS

if TYPE_CHECKING:
    from gonogo.faults.editing import Change

STREAM = asked(REQUESTS["a tool must be called in a stream"].key)
TWO = asked(REQUESTS["two tools must be called in a stream"].key)
STREAMS = either(STREAM, TWO)
FRAGMENT = "choices.0.delta.tool_calls.0"
_ARGUMENTS = f"{FRAGMENT}.function.arguments"
TWO_WHOLE = asked(REQUESTS["two tools must be called"].key)
_CLIENT_STREAM = "clients.openai_python.chat_stream"


def _text_streamed(value: Any) -> None:  # noqa: ANN401 - JSON
    choice = value["choices"][0]
    if choice["finish_reason"] is not None:
        choice["finish_reason"] = "stop"
    elif "role" in choice["delta"]:
        choice["delta"]["content"] = ""
    else:
        choice["delta"] = {"content": "x"}


def _uncounted(old: list[bytes]) -> list[bytes]:
    return [frame for frame in old if b'"choices":[]' not in frame]


def calls_fragment(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a chunk has a fragment of a call."""
    return has_choice(value) and "tool_calls" in value["choices"][0]["delta"]


def begins_a_call(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a chunk has the first fragment of a call."""
    return calls_fragment(value) and "id" in value["choices"][0]["delta"]["tool_calls"][0]


def _goes_on(value: Any) -> bool:  # noqa: ANN401 - JSON
    return calls_fragment(value) and not begins_a_call(value)


def _repeated(value: Any) -> None:  # noqa: ANN401 - JSON
    fragment = value["choices"][0]["delta"]["tool_calls"][0]
    fragment["id"] = f"call_of_{fragment['index']}"
    fragment["function"]["name"] = ("set_colour", "ring_bell")[fragment["index"]]


# One field of the fragments in streams, and the rules about it.
_FRAGMENTS = (
    (
        "fragments of the type tool",
        "an invented name",
        "tools.stream.schema",
        put(f"{FRAGMENT}.type", "tool"),
        begins_a_call,
    ),
    (
        "null as id in later fragments",
        "anomalyco/opencode#43328",
        "chat.stream.nulls",
        put(f"{FRAGMENT}.id", None),
        _goes_on,
    ),
    (
        "an object as arguments of fragments",
        "ollama/ollama#7881",
        "tools.stream.arguments",
        put(f"{FRAGMENT}.function.arguments", {}),
        begins_a_call,
    ),
    (
        "null as arguments of fragments",
        "a parser that found none",
        "chat.stream.nulls",
        put(f"{FRAGMENT}.function.arguments", None),
        begins_a_call,
    ),
    (
        "no id in the first fragment",
        "pipecat-ai/pipecat#4987",
        "tools.stream.id",
        cut(f"{FRAGMENT}.id"),
        begins_a_call,
    ),
    (
        "an empty id in the first fragment",
        "vercel/ai#6663",
        "tools.stream.id",
        put(f"{FRAGMENT}.id", ""),
        begins_a_call,
    ),
    (
        "no name in the first fragment",
        "spring-projects/spring-ai PR#5973",
        "tools.stream.name",
        cut(f"{FRAGMENT}.function.name"),
        begins_a_call,
    ),
    (
        "no type in the first fragment",
        "a hand-made delta",
        "tools.stream.type",
        cut(f"{FRAGMENT}.type"),
        begins_a_call,
    ),
    (
        "id and name in every fragment",
        "SillyTavern/SillyTavern PR#5811",
        "tools.stream.once",
        _repeated,
        calls_fragment,
    ),
)

_LIMITED = both(
    changed(
        TWO_WHOLE,
        answer(
            put("choices.0.finish_reason", "length"),
            put("choices.0.message.tool_calls.1.function.arguments", "{"),
        ),
    ),
    changed(
        TWO, each(put("choices.0.finish_reason", "length"), where=lambda v: has_choice(v) and finishes(v))
    ),
)
"""The limit was reached in the second of two calls."""

FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, by, rule, changed(STREAMS, each(edit, where=where)))
        for name, by, rule, edit, where in _FRAGMENTS
    ),
    fault(
        "required is treated as auto in streams",
        "google-ai-edge/LiteRT-LM#2471",
        "tools.required.streamed",
        changed(STREAM, each(_text_streamed, where=has_choice)),
    ),
    fault(
        "required is treated as auto in streams, and there is no chunk with usage",
        "two mistakes, each told once",
        "tools.required.streamed",
        both(changed(STREAM, each(_text_streamed, where=has_choice)), changed(STREAM, frames(_uncounted))),
    ),
    fault(
        "fragments without an index",
        "openai/openai-python#2806",
        ("tools.stream.index", _CLIENT_STREAM),
        changed(STREAMS, each(cut(f"{FRAGMENT}.index"), where=calls_fragment)),
    ),
    fault(
        "fragments with null as index",
        "vercel/ai PR#15879",
        ("tools.stream.index", _CLIENT_STREAM),
        changed(STREAMS, each(put(f"{FRAGMENT}.index", None), where=calls_fragment)),
    ),
    fault(
        "every call has the index 0",
        "ollama/ollama#15457",
        "tools.stream.own_index",
        changed(TWO, each(put(f"{FRAGMENT}.index", 0), where=calls_fragment)),
    ),
    fault(
        "calls numbered among all blocks of an answer",
        "Anthropic's blocks, where text is block 0, translated by a gateway",
        ("tools.stream.numbered", _CLIENT_STREAM),
        changed(STREAMS, each(made(f"{FRAGMENT}.index", lambda n: n + 1), where=calls_fragment)),
    ),
    fault(
        "the last piece of the arguments is lost",
        "XpressAI/xaibo PR#36",
        "tools.stream.arguments_json",
        changed(STREAM, without(-4)),
    ),
    fault(
        "stop as the finish reason of a streamed call",
        "vllm-project/vllm PR#9209",
        "tools.stream.finish_reason",
        changed(
            STREAMS,
            each(put("choices.0.finish_reason", "stop"), where=lambda v: has_choice(v) and finishes(v)),
        ),
    ),
    fault(
        "a streamed call without its arguments",
        "a parser that gives out the name alone",
        ("tools.stream.arguments_kept", "tools.stream.arguments_json"),
        changed(STREAM, each(put(f"{FRAGMENT}.function.arguments", ""), where=calls_fragment)),
    ),
    fault(
        "the arguments of the first of two calls are lost in a stream",
        "a parser that is done with the first call when the second begins",
        ("tools.stream.arguments_of_two", "tools.stream.arguments_json"),
        changed(TWO, each(put(f"{FRAGMENT}.function.arguments", ""), where=calls_fragment)),
    ),
    fault(
        "the arguments of a call are lost in a stream that its limit ends",
        "a parser that gives out what it has once it knows that the call is over, which the limit keeps it from",
        "tools.stream.arguments_of_two",
        both(_LIMITED, changed(TWO, each(put(_ARGUMENTS, ""), where=calls_fragment))),
    ),
    fault(
        "another tool in the stream",
        "a second parser for streams",
        "tools.stream.agrees",
        changed(STREAM, each(put(f"{FRAGMENT}.function.name", "ring_bell"), where=begins_a_call)),
    ),
    fault(
        "other arguments in the stream than in the whole answer",
        "a second parser for streams",
        "tools.stream.same_arguments",
        changed(STREAM, each(made(_ARGUMENTS, lambda old: old.replace("t", "d")), where=calls_fragment)),
    ),
    fault(
        "other arguments in the stream than in the whole answer, of two calls",
        "a parser that takes one call for a part of the other",
        "tools.stream.same_arguments_of_two",
        changed(TWO, each(made(_ARGUMENTS, lambda old: old.replace("t", "d")), where=calls_fragment)),
    ),
    fault(
        "no usage chunk beside calls",
        "ollama/ollama#5200",
        "tools.stream.usage",
        changed(STREAM, without(-2)),
    ),
)


def _in_one_fragment(old: list[bytes]) -> list[bytes]:
    """The first fragment of each call is complete, as from servers that parse a call at its end."""
    new: list[Any] = []
    for frame in old:
        value = None if b"[DONE]" in frame else json.loads(frame.removeprefix(b"data: "))
        if value is None or not _goes_on(value):
            new.append(value or frame)
            continue
        more = value["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]
        first = next(v for v in reversed(new) if begins_a_call(v))
        first["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] += more
    return [frame if isinstance(frame, bytes) else event(frame) for frame in new]


def _in_one_chunk(old: list[bytes]) -> list[bytes]:
    """All calls are in one chunk, which also has the role."""
    whole = _in_one_fragment(old)
    values = [json.loads(frame.removeprefix(b"data: ")) for frame in whole[:-1]]
    calls = [v["choices"][0]["delta"]["tool_calls"][0] for v in values if calls_fragment(v)]
    values[0]["choices"][0]["delta"]["tool_calls"] = calls
    return [
        event(values[0]),
        *(event(value) for value in values[1:] if not calls_fragment(value)),
        whole[-1],
    ]


def _first_call_only(old: list[bytes]) -> list[bytes]:
    return [frame for frame in old if b'"tool_calls":[{"index":1' not in frame]


def _cut_in_stream(old: list[bytes]) -> list[bytes]:
    """The limit was reached in the arguments."""
    kept = [old[0], *(frame for frame in old if b'"tool_calls"' in frame)][:5]
    return [*kept, *old[-3:]]


HARMLESS: dict[str, Change] = {
    "a call that the limit cuts short in a stream": changed(
        STREAM,
        frames(_cut_in_stream),
        each(put("choices.0.finish_reason", "length"), where=lambda v: has_choice(v) and finishes(v)),
    ),
    "two answers that their limit ends in the second call": _LIMITED,
    "each call in one fragment": changed(STREAMS, frames(_in_one_fragment)),
    "all calls in one chunk with the role": changed(STREAMS, frames(_in_one_chunk)),
    "one call where two could be": changed(TWO, frames(_first_call_only)),
    "arguments in the stream with other spaces": changed(
        STREAM,
        frames(_in_one_fragment),
        each(put(_ARGUMENTS, '\n{"colour":"teal"}'), where=begins_a_call),
    ),
}
