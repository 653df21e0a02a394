"""Faults of structured outputs: formats that are accepted but not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo.faults.editing import answer, changed, each, finishes, has_choice, put, refused, status
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import either
from gonogo.faults.rule_picks import first, last, under

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Change

KEPT = first("structured.schema.kept")
STREAMED = first("structured.schema.streamed")
LIMITS = first("structured.schema.limits")
ESCAPES = first("structured.schema.escapes")
ANY = first("structured.object.parses")
BEGUN = first("structured.object.begins")

_CONTENT = "choices.0.message.content"
FENCED = '```json\n{"x": 1}\n```'


def _prose(value: Any) -> None:  # noqa: ANN401 - JSON
    delta = value["choices"][0]["delta"]
    if delta.get("content"):
        delta["content"] = "no "


FAULTS: tuple[Fault, ...] = (
    *(
        fault(
            f"a server error: {rule}",
            "code that looks up before it checks",
            rule,
            changed(last(rule), refused(500)),
        )
        for rule in under("structured.harmless")
    ),
    *(
        fault(
            f"taken as if it were right: {rule}",
            "a handler that ignores it",
            rule,
            changed(first(rule), status(200)),
        )
        for rule in under("structured.refused")
    ),
    fault(
        "the format text is refused",
        "a handler that knows json_object only",
        "structured.text.accepted",
        changed(last("structured.text.accepted"), refused(400)),
    ),
    fault(
        "a schema is dropped",
        "BerriAI/litellm PR#38269",
        "structured.schema.kept",
        changed(KEPT, answer(put(_CONTENT, "Hello! How can I help you today?"))),
    ),
    fault(
        "a schema is treated as any object",
        "ggml-org/llama.cpp#10732",
        "structured.schema.kept",
        changed(KEPT, answer(put(_CONTENT, '{"greeting": "Hello!"}'))),
    ),
    fault(
        "a constant is dropped from a schema",
        "a grammar that knows types only",
        "structured.schema.kept",
        changed(KEPT, answer(put(_CONTENT, '{"gauge": "hello"}'))),
    ),
    fault(
        "a schema is dropped from streams",
        "ggml-org/llama.cpp#24097",
        "structured.schema.streamed",
        changed(STREAMED, each(_prose, where=has_choice)),
    ),
    fault(
        "limits are dropped from a schema",
        "kekzl/imp#1567",
        "structured.schema.limits",
        changed(LIMITS, answer(put(_CONTENT, '{"x": 3}'))),
    ),
    fault(
        "a pattern is written without JSON's escapes",
        "xgrammar 0.2.9",
        "structured.schema.escapes",
        changed(ESCAPES, answer(put(_CONTENT, '{"gauge": ""teal-4417""}'))),
    ),
    fault(
        "patterns are dropped from a schema",
        "a grammar that knows types only",
        "structured.schema.pattern",
        changed(ESCAPES, answer(put(_CONTENT, '{"gauge": "teal-4417"}'))),
    ),
    fault(
        "strict false is refused",
        "a schema of its own that demands true",
        "structured.schema.strict_false",
        changed(last("structured.schema.strict_false"), refused(400)),
    ),
    fault(
        "a fence around the object",
        "ROCm/FastFlowLM#554",
        "structured.object.parses",
        changed(ANY, answer(put(_CONTENT, FENCED))),
    ),
    fault(
        "an array in place of an object",
        "a grammar of any JSON value",
        "structured.object.parses",
        changed(ANY, answer(put(_CONTENT, "[1]"))),
    ),
    fault(
        "the format of any object is dropped",
        "mlx_lm.server 0.32, where a prompt that asks for JSON hides it",
        "structured.object.begins",
        changed(BEGUN, answer(put(_CONTENT, "No."))),
    ),
)


def _formed(exchange: Exchange) -> bool:
    """Whether a format other than text was requested."""
    return b'"type": "json_' in exchange.request.body


def _unsaid(message: dict[str, Any], reason: str) -> Any:  # noqa: ANN401 - an edit
    return lambda value: value["choices"][0].update(
        message={"role": "assistant", "content": None, "refusal": None} | message, finish_reason=reason
    )


_WHOLE = either(KEPT, LIMITS, ESCAPES, ANY, BEGUN)

HARMLESS: dict[str, Change] = {
    "forms that are refused": changed(_formed, refused(400)),
    "schemas that are refused, where any object is not": changed(
        either(KEPT, STREAMED, LIMITS, ESCAPES, last("structured.schema.strict_false")), refused(400)
    ),
    "an object that the limit cuts short": changed(
        _WHOLE, answer(put(_CONTENT, '{"gau'), put("choices.0.finish_reason", "length"))
    ),
    "an object that the limit cuts short in a stream": changed(
        STREAMED,
        each(_prose, where=has_choice),
        each(put("choices.0.finish_reason", "length"), where=lambda v: has_choice(v) and finishes(v)),
    ),
    "a limit that reasoning uses up before the object": changed(
        _WHOLE, answer(_unsaid({"reasoning_content": "The user"}, "length"))
    ),
    "a model that refuses to fill a form": changed(_WHOLE, answer(_unsaid({"refusal": "I cannot."}, "stop"))),
    "a filter before the object": changed(_WHOLE, answer(_unsaid({"content": ""}, "content_filter"))),
    "an object after blanks, cut short": changed(BEGUN, answer(put(_CONTENT, "\n\n {"))),
    "blanks that an object never ends": changed(BEGUN, answer(put(_CONTENT, " \n \n"))),
    "a fence that is taken off where it has an end": changed(BEGUN, answer(put(_CONTENT, "```json"))),
    "a thought in the text before the object": changed(BEGUN, answer(put(_CONTENT, "<think>\nThe user"))),
    "an object over several lines": changed(KEPT, answer(put(_CONTENT, '{\n  "gauge": "teal-4417"\n}\n'))),
    "an object in escapes": changed(KEPT, answer(put(_CONTENT, '{"gauge":"\\u0074eal-4417"}'))),
    "patterns that are refused": changed(ESCAPES, refused(400)),
    "quotation marks as escapes of Unicode": changed(
        ESCAPES, answer(put(_CONTENT, '{"gauge":"\\u0022teal-4417\\u0022"}'))
    ),
    "another number within the limits": changed(LIMITS, answer(put(_CONTENT, '{"x":200.0}'))),
}
