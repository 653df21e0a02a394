"""Faults of tools: calls that do not come, calls that nobody can run, and fragments that nobody can put together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from faults.asking import every, first, last, under
from faults.editing import (
    answer,
    asked,
    both,
    changed,
    cut,
    each,
    either,
    event,
    finishes,
    frames,
    has_choice,
    made,
    put,
    refused,
    silent,
    status,
    without,
)
from faults.fault import Fault, fault
from gonogo.exchange import FailureKind
from gonogo.stimuli.tools import REQUESTS

if TYPE_CHECKING:
    from faults.editing import Change
    from gonogo.exchange import Exchange

CALL = asked(REQUESTS["a tool must be called"].key)
NAMED = asked(REQUESTS["the second of two tools must be called"].key)
ONE = asked(REQUESTS["no more than one of two tools must be called"].key)
FORBIDDEN = asked(REQUESTS["tools are forbidden"].key)
STREAM = asked(REQUESTS["a tool must be called in a stream"].key)
TWO = asked(REQUESTS["two tools must be called in a stream"].key)
CALLS, STREAMS = either(CALL, NAMED, ONE), either(STREAM, TWO)

_TOOL_CALLS = "choices.0.message.tool_calls"
_CLIENT_STREAM = "clients.openai_python.chat_stream"


def _text(value: Any) -> None:  # noqa: ANN401 - JSON
    """Prose in place of the calls."""
    value["choices"][0].update(
        message={"role": "assistant", "content": "Hello!", "refusal": None}, finish_reason="stop"
    )


def _markup(value: Any) -> None:  # noqa: ANN401 - JSON
    value["choices"][0]["message"]["content"] = '<tool_call>{"name": "set_colour"}</tool_call>'


def _call_unasked(value: Any) -> None:  # noqa: ANN401 - JSON
    call = {"id": "call_7", "type": "function", "function": {"name": "set_colour", "arguments": "{}"}}
    value["choices"][0]["message"].update(content=None, tool_calls=[call])
    value["choices"][0]["finish_reason"] = "tool_calls"


def _text_streamed(value: Any) -> None:  # noqa: ANN401 - JSON
    choice = value["choices"][0]
    if choice["finish_reason"] is not None:
        choice["finish_reason"] = "stop"
    elif "role" in choice["delta"]:
        choice["delta"]["content"] = ""
    else:
        choice["delta"] = {"content": "x"}


def _calls_fragment(value: Any) -> bool:  # noqa: ANN401 - JSON
    return has_choice(value) and "tool_calls" in value["choices"][0]["delta"]


def _begins(value: Any) -> bool:  # noqa: ANN401 - JSON
    return _calls_fragment(value) and "id" in value["choices"][0]["delta"]["tool_calls"][0]


def _goes_on(value: Any) -> bool:  # noqa: ANN401 - JSON
    return _calls_fragment(value) and not _begins(value)


def _repeated(value: Any) -> None:  # noqa: ANN401 - JSON
    fragment = value["choices"][0]["delta"]["tool_calls"][0]
    fragment["id"] = f"call_of_{fragment['index']}"
    fragment["function"]["name"] = ("set_colour", "ring_bell")[fragment["index"]]


_FRAGMENT = "choices.0.delta.tool_calls.0"

# What is refused though the plain form is taken, who refused it, and the rule.
_REFUSED = (
    ("an empty list of tools is refused", "local-inference-lab/vllm PR#193", "tools.request.empty"),
    (
        "tool_choice none without tools is refused",
        "vllm-project/vllm#9426",
        "tools.request.none_without_tools",
    ),
    ("strict in a tool is refused", "OpenCoworkAI/open-cowork#232", "tools.request.strict"),
    ("a tool without parameters is refused", "QwenLM/qwen-code PR#12222", "tools.request.no_parameters"),
    ("a tool choice that is an object is refused", "567-labs/instructor PR#2051", "tools.request.named"),
    ("no plain request is taken after one with tools", "Blaizzy/mlx-vlm#1604", "tools.request.survived"),
    (
        "null content beside calls is refused",
        "cubist38/mlx-openai-server PR#205",
        "tools.history.null_content",
    ),
    ("calls without the key content are refused", "BerriAI/litellm PR#39268", "tools.history.no_content"),
    ("a result in parts is refused", "lemonade-sdk/lemonade#629", "tools.history.parts"),
    ("two results in a row are refused", "a template that wants turns in pairs", "tools.history.several"),
)

# One field of the calls of whole answers, and the rule that owns it.
_FIELDS = (
    ("calls as a map", "a dictionary as it is", "schema", made(_TOOL_CALLS, lambda old: {"0": old[0]})),
    ("calls without a function", "fields at the top", "schema", cut(f"{_TOOL_CALLS}.0.function")),
    ("calls without an id", "google/adk-python#951", "id", cut(f"{_TOOL_CALLS}.0.id")),
    ("calls with null as their id", "openai/openai-node#1528", "id", put(f"{_TOOL_CALLS}.0.id", None)),
    ("calls with a number as their id", "a counter as it is", "id", put(f"{_TOOL_CALLS}.0.id", 1)),
    ("calls without a type", "Ollama's native form", "type", cut(f"{_TOOL_CALLS}.0.type")),
    ("calls of the type tool", "an invented name", "type", put(f"{_TOOL_CALLS}.0.type", "tool")),
    ("calls without a name", "a parser that found none", "name", cut(f"{_TOOL_CALLS}.0.function.name")),
    (
        "arguments as an object",
        "ggml-org/llama.cpp#20198",
        "arguments",
        put(f"{_TOOL_CALLS}.0.function.arguments", {"colour": "teal"}),
    ),
    (
        "null as arguments",
        "a parser that found none",
        "arguments",
        put(f"{_TOOL_CALLS}.0.function.arguments", None),
    ),
    (
        "an index in calls of whole answers",
        "epam/ai-dial-sdk PR#110",
        "no_index",
        put(f"{_TOOL_CALLS}.0.index", 0),
    ),
)

# One field of the fragments of streams, and the rules that own it.
_FRAGMENTS = (
    (
        "fragments of the type tool",
        "an invented name",
        "tools.stream.schema",
        put(f"{_FRAGMENT}.type", "tool"),
        _begins,
    ),
    (
        "null as id in later fragments",
        "anomalyco/opencode#43328",
        "chat.stream.nulls",
        put(f"{_FRAGMENT}.id", None),
        _goes_on,
    ),
    (
        "an object as arguments of fragments",
        "ollama/ollama#7881",
        "tools.stream.arguments",
        put(f"{_FRAGMENT}.function.arguments", {}),
        _begins,
    ),
    (
        "null as arguments of fragments",
        "a parser that found none",
        "chat.stream.nulls",
        put(f"{_FRAGMENT}.function.arguments", None),
        _begins,
    ),
    (
        "no id in the first fragment",
        "pipecat-ai/pipecat#4987",
        "tools.stream.id",
        cut(f"{_FRAGMENT}.id"),
        _begins,
    ),
    (
        "an empty id in the first fragment",
        "vercel/ai#6663",
        "tools.stream.id",
        put(f"{_FRAGMENT}.id", ""),
        _begins,
    ),
    (
        "no name in the first fragment",
        "spring-projects/spring-ai PR#5973",
        "tools.stream.name",
        cut(f"{_FRAGMENT}.function.name"),
        _begins,
    ),
    (
        "no type in the first fragment",
        "a hand-made delta",
        "tools.stream.type",
        cut(f"{_FRAGMENT}.type"),
        _begins,
    ),
    (
        "id and name in every fragment",
        "SillyTavern/SillyTavern PR#5811",
        "tools.stream.once",
        _repeated,
        _calls_fragment,
    ),
)

_CLIENT = "clients.openai_python.chat"
_BREAKS = {
    "calls as a map": (_CLIENT,),
    "calls without a function": (_CLIENT,),
    "arguments as an object": (_CLIENT,),
    "null as arguments": (_CLIENT,),
}

FAULTS: tuple[Fault, ...] = (
    *(fault(name, by, rule, changed(last(rule), refused(400))) for name, by, rule in _REFUSED),
    *(
        fault(name, by, {f"tools.call.{rule}", *_BREAKS.get(name, ())}, changed(CALLS, answer(edit)))
        for name, by, rule, edit in _FIELDS
    ),
    *(
        fault(name, by, rule, changed(STREAMS, each(edit, where=where)))
        for name, by, rule, edit, where in _FRAGMENTS
    ),
    *(
        fault(
            f"a server error: {rule}",
            "code that looks up before it checks",
            rule,
            changed(first(rule), refused(500)),
        )
        for rule in under("tools.harmless")
    ),
    *(
        fault(
            f"taken as if it were right: {rule}",
            "a handler that ignores it",
            rule,
            changed(first(rule), status(200)),
        )
        for rule in under("tools.refused")
    ),
    fault(
        "a server that a request with tools wedges",
        "Blaizzy/mlx-vlm#1604",
        ("tools.request.survived", "http.complete"),
        changed(last("tools.request.survived"), silent(FailureKind.RESET)),
    ),
    fault(
        "the result of a tool in parts is dropped",
        "ggml-org/llama.cpp#8367",
        "tools.history.parts_rendered",
        changed(
            last("tools.history.parts_rendered"),
            answer(put("usage.prompt_tokens", 30), put("usage.total_tokens", 32)),
        ),
    ),
    fault(
        "required is taken for auto",
        "Blaizzy/mlx-vlm#1045",
        "tools.required.called",
        changed(CALL, answer(_text)),
    ),
    fault(
        "required is taken for auto in streams",
        "google-ai-edge/LiteRT-LM#2471",
        "tools.required.streamed",
        changed(STREAM, each(_text_streamed, where=has_choice)),
    ),
    fault(
        "a second call is left in the content",
        "lmstudio-ai/lmstudio-bug-tracker#2115",
        "tools.required.content",
        changed(CALL, answer(_markup)),
    ),
    fault(
        "a tool choice by name is ignored",
        "ollama/ollama#8421",
        "tools.named.called",
        changed(NAMED, answer(_text)),
    ),
    fault(
        "another tool than the one that was named",
        "a grammar of all tools",
        "tools.named.obeyed",
        changed(NAMED, answer(put(f"{_TOOL_CALLS}.0.function.name", "set_colour"))),
    ),
    fault(
        "function_call as the finish reason of a call by name",
        "the older form's word",
        "tools.named.finish_reason",
        changed(NAMED, answer(put("choices.0.finish_reason", "function_call"))),
    ),
    fault(
        "a tool is called though none may be",
        "ayunis-core/ayunis-core PR#705",
        "tools.none.silent",
        changed(FORBIDDEN, answer(_call_unasked)),
    ),
    fault(
        "two calls where one at a time was asked for",
        "sgl-project/sglang#9696",
        "tools.parallel.one",
        changed(ONE, answer(made(_TOOL_CALLS, lambda old: [old[0], old[0] | {"id": "call_other"}]))),
    ),
    fault(
        "a call without the key content",
        "raullenchai/Rapid-MLX PR#724",
        "chat.response.content",
        changed(CALL, answer(cut("choices.0.message.content"))),
    ),
    fault(
        "an empty id of a call",
        "vercel/ai#6663",
        "tools.call.id_not_empty",
        changed(ONE, answer(put(f"{_TOOL_CALLS}.0.id", ""))),
    ),
    fault(
        "ids of calls counted from 0 in each answer",
        "NVIDIA-NeMo/Switchyard#502",
        "tools.call.id_unique",
        changed(every("tools.call.id_unique"), answer(put(f"{_TOOL_CALLS}.0.id", "call_0"))),
    ),
    fault(
        "a call of a tool that nobody offered",
        "a model that invents one, and no grammar",
        "tools.call.offered",
        changed(ONE, answer(put(f"{_TOOL_CALLS}.0.function.name", "launch_rocket"))),
    ),
    fault(
        "half an object as arguments",
        "generative-computing/mellea PR#1373",
        "tools.call.arguments_json",
        changed(ONE, answer(put(f"{_TOOL_CALLS}.0.function.arguments", '{"colour": "te'))),
    ),
    fault(
        "no text as the arguments of a tool without parameters",
        "a template that leaves them out",
        "tools.call.arguments_json",
        changed(NAMED, answer(put(f"{_TOOL_CALLS}.0.function.arguments", ""))),
    ),
    fault(
        "stop as the finish reason of a required call",
        "vllm-project/vllm PR#9209",
        "tools.call.finish_reason",
        changed(CALLS, answer(put("choices.0.finish_reason", "stop"))),
    ),
    fault(
        "fragments without an index",
        "openai/openai-python#2806",
        ("tools.stream.index", _CLIENT_STREAM),
        changed(STREAMS, each(cut(f"{_FRAGMENT}.index"), where=_calls_fragment)),
    ),
    fault(
        "fragments with null as index",
        "vercel/ai PR#15879",
        ("tools.stream.index", _CLIENT_STREAM),
        changed(STREAMS, each(put(f"{_FRAGMENT}.index", None), where=_calls_fragment)),
    ),
    fault(
        "every call has the index 0",
        "ollama/ollama#15457",
        "tools.stream.own_index",
        changed(TWO, each(put(f"{_FRAGMENT}.index", 0), where=_calls_fragment)),
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
        "another tool in the stream",
        "a second parser for streams",
        "tools.stream.agrees",
        changed(STREAM, each(put(f"{_FRAGMENT}.function.name", "ring_bell"), where=_begins)),
    ),
    fault(
        "no usage chunk beside calls",
        "ollama/ollama#5200",
        "tools.stream.usage",
        changed(STREAM, without(-2)),
    ),
)


def _with_tools(exchange: Exchange) -> bool:
    """Whether tools were offered, or their results sent back."""
    return b'"tools": [{' in exchange.request.body


def _cut_short(value: Any) -> None:  # noqa: ANN401 - JSON
    value["choices"][0]["finish_reason"] = "length"
    value["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = '{"colo'


def _thought(value: Any) -> None:  # noqa: ANN401 - JSON
    """The limit came before the first word, or the call."""
    message = {"role": "assistant", "content": None, "refusal": None, "reasoning_content": "The user"}
    value["choices"][0].update(message=message, finish_reason="length")


def _refused_by_model(value: Any) -> None:  # noqa: ANN401 - JSON
    message = {"role": "assistant", "content": None, "refusal": "I cannot do that."}
    value["choices"][0].update(message=message, finish_reason="stop")


def _in_one_fragment(old: list[bytes]) -> list[bytes]:
    """Each call whole in its first fragment, as servers send it that parse a call at its end."""
    new: list[Any] = []
    for frame in old:
        value = None if b"[DONE]" in frame else json.loads(frame.removeprefix(b"data: "))
        if value is None or not _goes_on(value):
            new.append(value or frame)
            continue
        more = value["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]
        first = next(v for v in reversed(new) if _begins(v))
        first["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] += more
    return [frame if isinstance(frame, bytes) else event(frame) for frame in new]


def _in_one_chunk(old: list[bytes]) -> list[bytes]:
    """All calls in one chunk, which has the role too."""
    whole = _in_one_fragment(old)
    values = [json.loads(frame.removeprefix(b"data: ")) for frame in whole[:-1]]
    calls = [v["choices"][0]["delta"]["tool_calls"][0] for v in values if _calls_fragment(v)]
    values[0]["choices"][0]["delta"]["tool_calls"] = calls
    return [
        event(values[0]),
        *(event(value) for value in values[1:] if not _calls_fragment(value)),
        whole[-1],
    ]


def _first_call_only(old: list[bytes]) -> list[bytes]:
    return [frame for frame in old if b'"tool_calls":[{"index":1' not in frame]


def _cut_in_stream(old: list[bytes]) -> list[bytes]:
    """The limit came in the arguments."""
    kept = [old[0], *(frame for frame in old if b'"tool_calls"' in frame)][:5]
    return [*kept, *old[-3:]]


HARMLESS: dict[str, Change] = {
    "tools that are refused": changed(_with_tools, refused(400)),
    "tools that are not implemented": changed(_with_tools, refused(501)),
    "tools that are refused where one must be called": changed(
        either(CALL, NAMED, ONE, STREAM, TWO, asked(REQUESTS["a tool must be called"].key + " #2")),
        refused(400),
    ),
    "a rate limit for calls": changed(either(CALL, STREAM), refused(429)),
    "a call that the limit cuts short": changed(CALLS, answer(_cut_short)),
    "a call that the limit cuts short in a stream": changed(
        STREAM,
        frames(_cut_in_stream),
        each(put("choices.0.finish_reason", "length"), where=lambda v: has_choice(v) and finishes(v)),
    ),
    "a limit that reasoning uses up before the call": changed(CALLS, answer(_thought)),
    "a model that refuses to call": changed(CALLS, answer(_refused_by_model)),
    "stop as the finish reason of a call by name": changed(
        NAMED, answer(put("choices.0.finish_reason", "stop"))
    ),
    "empty content beside calls": changed(CALLS, answer(put("choices.0.message.content", ""))),
    "words beside calls": changed(CALLS, answer(put("choices.0.message.content", "Let me do that."))),
    "reasoning beside calls": changed(CALLS, answer(put("choices.0.message.reasoning_content", "Hm."))),
    "spaces in the arguments": changed(
        CALL, answer(put(f"{_TOOL_CALLS}.0.function.arguments", '\n{ "colour" : "teal" }\n'))
    ),
    "each call in one fragment": changed(STREAMS, frames(_in_one_fragment)),
    "all calls in one chunk with the role": changed(STREAMS, frames(_in_one_chunk)),
    "one call where two could be": changed(TWO, frames(_first_call_only)),
    "other arguments in the stream": changed(
        STREAM, frames(_in_one_fragment), each(put(f"{_FRAGMENT}.function.arguments", "{}"), where=_begins)
    ),
    "a line end more around a result in parts": changed(
        last("tools.history.parts_rendered"),
        answer(made("usage.prompt_tokens", lambda n: n + 1), made("usage.total_tokens", lambda n: n + 1)),
    ),
    "a vendor's fields in calls": both(
        changed(CALLS, answer(put(f"{_TOOL_CALLS}.0.x_vendor", {"signature": "abc"}))),
        changed(STREAMS, each(put(f"{_FRAGMENT}.x_vendor", "abc"), where=_calls_fragment)),
    ),
}
