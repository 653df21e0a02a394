"""Faults of tool calls: missing calls, and calls that cannot be run; and harmless variations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo.exchange import FailureKind
from gonogo.faults.catalogue.tool_streams import FRAGMENT, STREAM, STREAMS, TWO, begins_a_call, calls_fragment
from gonogo.faults.editing import (
    answer,
    answered,
    both,
    changed,
    cut,
    each,
    made,
    put,
    refused,
    silent,
    status,
)
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import asked, either
from gonogo.faults.rule_picks import first, last, under
from gonogo.stimuli.tools import REQUESTS

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Change

CALL = asked(REQUESTS["a tool must be called"].key)
NAMED = asked(REQUESTS["the second of two tools must be called"].key)
ONE = asked(REQUESTS["no more than one of two tools must be called"].key)
STRICT = asked(REQUESTS["a tool with strict true must be called"].key)
FORBIDDEN = asked(REQUESTS["tools are forbidden"].key)
CALLS = either(CALL, NAMED, ONE)

FUNCTION = asked(REQUESTS["a function must be called in the form before tools"].key)

_TOOL_CALLS = "choices.0.message.tool_calls"


def _text(value: Any) -> None:  # noqa: ANN401 - JSON
    """The answer has prose instead of calls."""
    value["choices"][0].update(
        message={"role": "assistant", "content": "Hello!", "refusal": None}, finish_reason="stop"
    )


def _markup(value: Any) -> None:  # noqa: ANN401 - JSON
    value["choices"][0]["message"]["content"] = '<tool_call>{"name": "set_colour"}</tool_call>'


def _call_unasked(value: Any) -> None:  # noqa: ANN401 - JSON
    call = {"id": "call_7", "type": "function", "function": {"name": "set_colour", "arguments": "{}"}}
    value["choices"][0]["message"].update(content=None, tool_calls=[call])
    value["choices"][0]["finish_reason"] = "tool_calls"


def _chat(message: Any, finish_reason: str) -> Any:  # noqa: ANN401 - JSON
    """A chat completion with these members of its message."""
    choice = {"index": 0, "message": {"role": "assistant", "content": None, "refusal": None} | message}
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "ideal",
        "choices": [choice | {"logprobs": None, "finish_reason": finish_reason}],
    }


_CALLED = {"name": "set_colour", "arguments": '{"colour": "teal"}'}

# The form that is refused although the plain one is accepted, the server that refused it, and the rule.
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

# One field of the calls in complete answers, and the rule about it.
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
        fault(
            f"a server error: {rule}",
            "code that looks up before it checks",
            rule,
            changed(last(rule), refused(500)),
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
        "required is treated as auto",
        "Blaizzy/mlx-vlm#1045",
        "tools.required.called",
        changed(CALL, answer(_text)),
    ),
    fault(
        "a second call is left in the content",
        "lmstudio-ai/lmstudio-bug-tracker#2115",
        "tools.required.content",
        changed(CALL, answer(_markup)),
    ),
    fault(
        "a function in the form before tools is accepted and ignored",
        "unknown fields that are dropped",
        "tools.functions.not_ignored",
        changed(FUNCTION, answered(_chat({"content": "Hello!"}, "stop"))),
    ),
    fault(
        "a tool choice by name is ignored",
        "ollama/ollama#8421",
        "tools.named.called",
        changed(NAMED, answer(_text)),
    ),
    fault(
        "a tool other than the named one",
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
        "a strict tool is called with a value that it does not know",
        "ai-dynamo/frontend-crates#209: strict is accepted, and nothing holds the model to the schema",
        "tools.strict.kept",
        changed(STRICT, answer(put(f"{_TOOL_CALLS}.0.function.arguments", '{"colour": "green"}'))),
    ),
    fault(
        "a strict tool is called with one field more",
        "ai-dynamo/frontend-crates#209: strict is accepted, and nothing holds the model to the schema",
        "tools.strict.kept",
        changed(
            STRICT,
            answer(put(f"{_TOOL_CALLS}.0.function.arguments", '{"colour": "teal-7f3", "mood": "calm"}')),
        ),
    ),
    fault(
        "a strict tool is called with half an object",
        "generative-computing/mellea PR#1373",
        "tools.strict.kept",
        changed(STRICT, answer(put(f"{_TOOL_CALLS}.0.function.arguments", '{"colour": "te'))),
    ),
    fault(
        "two calls instead of one at a time",
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
        both(
            changed(CALL, answer(put(f"{_TOOL_CALLS}.0.id", "call_0"))),
            changed(STREAM, each(put(f"{FRAGMENT}.id", "call_0"), where=begins_a_call)),
        ),
    ),
    fault(
        "a call of a tool that was not offered",
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
)


def _with_tools(exchange: Exchange) -> bool:
    """Whether the request has tools or their results."""
    return b'"tools": [{' in exchange.request.body


def _cut_short(value: Any) -> None:  # noqa: ANN401 - JSON
    value["choices"][0]["finish_reason"] = "length"
    value["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = '{"colo'


def _thought(value: Any) -> None:  # noqa: ANN401 - JSON
    """The limit was reached before any text or call."""
    message = {"role": "assistant", "content": None, "refusal": None, "reasoning_content": "The user"}
    value["choices"][0].update(message=message, finish_reason="length")


def _refused_by_model(value: Any) -> None:  # noqa: ANN401 - JSON
    message = {"role": "assistant", "content": None, "refusal": "I cannot do that."}
    value["choices"][0].update(message=message, finish_reason="stop")


HARMLESS: dict[str, Change] = {
    "a function in the form before tools that is called": changed(
        FUNCTION, answered(_chat({"function_call": _CALLED}, "function_call"))
    ),
    "a function in the form before tools that is called as a tool": changed(
        FUNCTION,
        answered(_chat({"tool_calls": [{"id": "c", "type": "function", "function": _CALLED}]}, "tool_calls")),
    ),
    "a limit that comes before the function is called": changed(
        FUNCTION, answered(_chat({"reasoning_content": "The user"}, "length"))
    ),
    "functions that are not implemented": changed(FUNCTION, refused(501)),
    "tools that are refused": changed(_with_tools, refused(400)),
    "tools that are not implemented": changed(_with_tools, refused(501)),
    "tools that are refused where one must be called": changed(
        either(CALL, NAMED, ONE, STREAM, TWO),
        refused(400),
    ),
    "a rate limit for calls": changed(either(CALL, STREAM), refused(429)),
    "a call that the limit cuts short": changed(either(CALLS, STRICT), answer(_cut_short)),
    "strict tools that are refused": changed(STRICT, refused(400)),
    "a model that refuses to call a strict tool": changed(STRICT, answer(_refused_by_model)),
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
    "a line end more around a result in parts": changed(
        last("tools.history.parts_rendered"),
        answer(made("usage.prompt_tokens", lambda n: n + 1), made("usage.total_tokens", lambda n: n + 1)),
    ),
    "a vendor's fields in calls": both(
        changed(CALLS, answer(put(f"{_TOOL_CALLS}.0.x_vendor", {"signature": "abc"}))),
        changed(STREAMS, each(put(f"{FRAGMENT}.x_vendor", "abc"), where=calls_fragment)),
    ),
}
