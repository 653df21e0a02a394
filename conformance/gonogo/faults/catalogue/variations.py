"""Faults of unusual requests: histories, schemas and framing that a server was not written for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo.exchange import FailureKind
from gonogo.faults.catalogue.stops import saying
from gonogo.faults.editing import answer, answered, changed, made, put, refused, silent
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import either
from gonogo.faults.rule_picks import first, last

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.faults.editing import Change

ECHO = last("completions.echo.stream")

# The request at which the server fails, where this was reported, and the rule.
_FAILING = (
    (
        "a call with empty arguments in the history fails the server",
        "json.loads of nothing",
        "tools.harmless.arguments_empty",
    ),
    (
        "a call with cut arguments in the history fails the server",
        "json.loads in a template",
        "tools.harmless.arguments_cut",
    ),
    (
        "a system message in the middle fails the server",
        "an exception of the template",
        "chat.harmless.late_system",
    ),
    ("two users in a row fail the server", "an exception of the template", "chat.harmless.two_users"),
    (
        "a conversation in an unusual order fails the server",
        "a template that takes the last message for the user's",
        "chat.harmless.any_order",
    ),
    (
        "a tool with a malformed schema fails the server",
        "a converter that looks up a reference",
        "tools.harmless.malformed",
    ),
    (
        "a schema with definitions fails the server",
        "a converter without $ref",
        "structured.harmless.definitions",
    ),
    ("a chat without a model fails the server", "a KeyError", "errors.harmless.model_missing"),
)

# The form that is refused although the plain one is accepted.
_REFUSED = (
    (
        "an untyped property of a tool is refused",
        "a converter that reads type first",
        "tools.request.untyped",
    ),
    (
        "a tool whose parameters have definitions is refused",
        "a converter without $ref",
        "tools.request.definitions",
    ),
    (
        "a message of its own is refused",
        "a schema of requests without what the answers have, such as reasoning_content",
        "tools.history.own",
    ),
    ("empty content beside a call is refused", "a check for what is false", "tools.history.empty_content"),
    ("an empty logit_bias is refused", "a minimum of one", "sampling.accepted.bias_empty"),
    ("a body in chunks is treated as empty", "a server that reads Content-Length only", "http.chunked"),
    ("the body of an offer to upgrade is dropped", "uvicorn with some extras", "http.upgrade_offer"),
    ("echo is refused in streams", "a check of the two together", "completions.echo.stream"),
)


def _as_many_tokens(value: Any) -> None:  # noqa: ANN401 - JSON
    usage = value["usage"]
    usage.update(prompt_tokens=2, total_tokens=2 + usage["completion_tokens"])


FAULTS: tuple[Fault, ...] = (
    *(fault(name, by, rule, changed(last(rule), refused(500))) for name, by, rule in _FAILING),
    *(fault(name, by, rule, changed(last(rule), refused(400))) for name, by, rule in _REFUSED),
    *(
        fault(
            f"silence to {what}",
            "a server that waits for what was sent already",
            rule,
            changed(last(rule), silent(FailureKind.TIMEOUT)),
        )
        for what, rule in (
            ("a body in chunks", "http.chunked"),
            ("an offer to upgrade", "http.upgrade_offer"),
        )
    ),
    fault(
        "a chat without a model is answered",
        "servers of one model",
        "errors.refused.model_missing",
        changed(
            last("errors.refused.model_missing"),
            refused(200, b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"}}]}'),
        ),
    ),
    fault(
        "a system message is dropped",
        "a template without a place for it",
        "chat.request.system_rendered",
        changed(last("chat.request.system_rendered"), answer(_as_many_tokens)),
    ),
    fault(
        "a schema with definitions is ignored",
        "a converter that lets any value stand for a $ref",
        "structured.schema.definitions",
        changed(last("structured.schema.definitions"), answer(put("choices.0.message.content", "{}"))),
    ),
    fault(
        "echo is left out in streams",
        "two handlers for one operation",
        "completions.echo.stream",
        changed(ECHO, saying(" four")),
    ),
    fault(
        "two long texts have one vector",
        "a text that is cut to the context in silence",
        "embeddings.input.not_cut",
        changed(
            last("embeddings.input.not_cut"),
            answer(made("data", lambda old: [entry | {"embedding": old[0]["embedding"]} for entry in old])),
        ),
    ),
)

HARMLESS: Mapping[str, Change] = {
    "histories that the template refuses": changed(
        either(*(last(f"chat.harmless.{name}") for name in ("late_system", "two_users", "any_order"))),
        refused(400),
    ),
    "arguments that are no JSON are refused": changed(
        either(last("tools.harmless.arguments_empty"), last("tools.harmless.arguments_cut")), refused(400)
    ),
    "a malformed schema of a tool is refused": changed(last("tools.harmless.malformed"), refused(400)),
    "a malformed schema of a tool is taken for any": changed(
        last("tools.harmless.malformed"), answered({"choices": []})
    ),
    "definitions in a schema are refused": changed(last("structured.harmless.definitions"), refused(400)),
    "a body in chunks is refused for want of a length": changed(last("http.chunked"), refused(411)),
    "a 411 is lost to the reset of its connection": changed(last("http.chunked"), silent(FailureKind.RESET)),
    "long texts to embed are refused": changed(last("embeddings.input.not_cut"), refused(400)),
    "echo that is refused, in streams too": changed(
        either(first("completions.echo.text"), first("completions.echo.stream"), ECHO), refused(400)
    ),
}
