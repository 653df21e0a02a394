"""Faults of message requests: accepted forms, refusals and counts; and changes that keep the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.faults.editing import (
    answer,
    answered,
    body,
    changed,
    cut,
    derived,
    header,
    made,
    put,
    status,
)
from gonogo.faults.fault import Fault, fault
from gonogo.faults.message_edits import (
    ANY,
    BAD,
    CLAUDE_CODE,
    COUNT,
    NEWER,
    PLAIN,
    REFUSALS,
    SHORT,
    STREAM,
    STREAMS,
    STRUCTURED,
    UNKNOWN,
    WHOLES,
    message,
    refusing,
    text,
)
from gonogo.faults.named_events import whole
from gonogo.faults.picks import either

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.faults.editing import Change, Edit, Json, JsonEdit

_ERRORS: Final = "messages.errors"
_ASKED: Final = "messages.request"
_INVALID: Final = "invalid_request_error"
_SYSTEM: Final = "messages[1]: role 'system' "


def _of_chat(value: Json) -> None:
    """The error has the envelope of chat."""
    del value["type"], value["request_id"]


def _without_system(plain: Json) -> Edit:
    """The beginning of the plain message, whose limit is three times as high, and its count of the input."""
    said = plain["content"][0]["text"]
    return answer(put("content.0.text", said[: len(said) // 3]), _counted_like(plain))


def _counted_like(plain: Json) -> JsonEdit:
    """The counts of the plain message's prompt, those of caches included."""
    return made("usage", lambda own: plain["usage"] | {"output_tokens": own["output_tokens"]})


def _message_of(events: list[Json]) -> Json:
    """The complete message of a stream with one text block."""
    start = next(value["message"] for value in events if value["type"] == "message_start")
    end = next(value for value in events if value["type"] == "message_delta")
    said = "".join(value["delta"]["text"] for value in events if value["type"] == "content_block_delta")
    return start | end["delta"] | {"content": [text(said)], "usage": start["usage"] | end["usage"]}


FAULTS: tuple[Fault, ...] = (
    fault(
        "streams of messages are refused",
        "a surface that was half built",
        f"{_ASKED}.stream",
        changed(STREAM, refusing(400, _INVALID, "stream is not supported")),
    ),
    fault(
        "a stream of a message that is one whole answer",
        "a stream parameter that nobody reads",
        (f"{_ASKED}.stream", "stream.content_type"),
        changed(STREAM, whole(_message_of)),
    ),
    fault(
        "a key in Authorization is refused on /messages alone",
        "a look at x-api-key alone, as clients of the older version send it",
        f"{_ASKED}.x_api_key",
        changed(PLAIN, refusing(401, "authentication_error")),
    ),
    fault(
        "a key in x-api-key is refused",
        "a look at Authorization alone",
        f"{_ASKED}.x_api_key",
        changed(BAD, refusing(401, "authentication_error")),
    ),
    fault(
        "the newer version is refused",
        "a list of one version",
        f"{_ASKED}.version",
        changed(NEWER, refusing(400, _INVALID, "anthropic-version: 2026-10-21 is not a valid version")),
    ),
    fault(
        "a value of anthropic-beta that is not known is refused",
        "a list of known ones",
        f"{_ASKED}.claude_code",
        changed(CLAUDE_CODE, refusing(400, _INVALID, "Unexpected value for the anthropic-beta header")),
    ),
    fault(
        "thinking of the type adaptive is refused",
        "a schema of last year",
        f"{_ASKED}.claude_code",
        changed(CLAUDE_CODE, refusing(422, _INVALID, "thinking.type: enabled or disabled")),
    ),
    fault(
        "a query after the path of messages fails the server",
        "ollama/ollama#13949",
        (f"{_ASKED}.claude_code", "http.no_server_error"),
        changed(CLAUDE_CODE, refusing(500, "api_error")),
    ),
    fault(
        "a system prompt that is dropped",
        "a field that is not passed on",
        f"{_ASKED}.system",
        derived(SHORT, PLAIN, _without_system),
    ),
    fault(
        "a message of role system is refused with 422",
        "lmstudio-ai/lmstudio-bug-tracker#1399",
        f"{_ASKED}.system_role",
        changed(CLAUDE_CODE, refusing(422, _INVALID, f"{_SYSTEM}is not one of user, assistant")),
    ),
    fault(
        "a message of role system is refused in other words",
        "JustVugg/colibri PR#725",
        f"{_ASKED}.system_role",
        changed(CLAUDE_CODE, refusing(400, _INVALID, f"{_SYSTEM}is not one of user, assistant")),
    ),
    fault(
        "messages without a request-id",
        "most servers",
        f"{_ASKED}.request_id",
        changed(either(WHOLES, STREAMS, ANY, STRUCTURED), header("request-id", None)),
    ),
    # ---- refusals ----
    fault(
        "a text in place of the messages fails the server",
        "a loop over characters",
        f"{_ERRORS}.refused",
        changed(BAD, refusing(500, "api_error")),
    ),
    fault(
        "a text in place of the messages is answered",
        "a template that takes anything",
        f"{_ERRORS}.refused",
        changed(BAD, answered(message(text("Hi.")))),
    ),
    fault(
        "a text in place of the messages is refused with 422",
        "FastAPI's default",
        f"{_ERRORS}.status",
        changed(BAD, status(422)),
    ),
    fault(
        "a model that does not exist answers a message",
        "one model for every name",
        f"{_ERRORS}.unknown_model",
        changed(UNKNOWN, answered(message(text("Hi.")))),
    ),
    fault(
        "a model that does not exist is refused with 400",
        "one status for everything",
        f"{_ERRORS}.unknown_model_status",
        changed(UNKNOWN, refusing(400, _INVALID)),
    ),
    fault(
        "chat's error object in a refusal of messages",
        "one handler for all paths",
        f"{_ERRORS}.envelope",
        changed(REFUSALS, answer(_of_chat)),
    ),
    fault(
        "a refusal of messages as detail",
        "FastAPI's own form",
        f"{_ERRORS}.envelope",
        changed(BAD, body(b'{"detail": "Input should be a valid list"}')),
    ),
    fault(
        "a refusal of messages without a type of the error",
        "a hand-made object",
        f"{_ERRORS}.type",
        changed(REFUSALS, answer(cut("error.type"))),
    ),
    fault(
        "NotFoundError as the type of an error",
        "ray-project/ray PR#65486",
        f"{_ERRORS}.type_known",
        changed(UNKNOWN, answer(put("error.type", "NotFoundError"))),
    ),
    fault(
        "a refusal of messages without a message",
        "a hand-made object",
        f"{_ERRORS}.message",
        changed(REFUSALS, answer(cut("error.message"))),
    ),
    fault(
        "a refusal of messages without words",
        "an exception without a text",
        f"{_ERRORS}.words",
        changed(REFUSALS, answer(put("error.message", ""))),
    ),
    fault(
        "a refusal of messages as text/plain",
        "a framework's default",
        f"{_ERRORS}.content_type",
        changed(REFUSALS, header("content-type", "text/plain")),
    ),
    # ---- counts ----
    fault(
        "a count needs max_tokens",
        "one schema for both operations",
        "messages.count.taken",
        changed(COUNT, refusing(400, _INVALID, "max_tokens: Field required")),
    ),
    fault(
        "a count needs metadata",
        "ding113/claude-code-hub#1363",
        "messages.count.taken",
        changed(COUNT, refusing(400, _INVALID, "metadata.user_id is missing")),
    ),
    fault(
        "a string as the count of tokens",
        "a count that went through a template",
        "messages.count.schema",
        changed(COUNT, answer(made("input_tokens", str))),
    ),
    fault(
        "another count than the usage has",
        "an estimate by characters",
        "messages.count.agrees",
        changed(COUNT, answer(made("input_tokens", lambda old: old + 9))),
    ),
)

HARMLESS: Mapping[str, Change] = {
    "a count that is an estimate, and two tokens too high": changed(
        COUNT, answer(made("input_tokens", lambda old: old + 2))
    ),
    "a system prompt that is refused": changed(SHORT, refusing(400, _INVALID, "system: not supported")),
    "a system prompt with as many tokens as the default that it replaces": derived(
        SHORT, PLAIN, lambda plain: answer(_counted_like(plain))
    ),
    "adaptive thinking is not there": changed(
        CLAUDE_CODE, refusing(400, _INVALID, "adaptive thinking is not supported on this model")
    ),
    "adaptive thinking is refused by the name that a gateway has for it": changed(
        CLAUDE_CODE,
        refusing(400, _INVALID, "m doesn't support `reasoning.effort`; to drop it set drop_params"),
    ),
    "a message of role system is refused as not supported": changed(
        CLAUDE_CODE, refusing(400, _INVALID, f"{_SYSTEM}is not supported here")
    ),
    "there is no count of tokens": changed(COUNT, refusing(404, "not_found_error")),
    "the tokens of this model cannot be counted": changed(
        COUNT, refusing(400, _INVALID, "Counting tokens is not supported for the provider of this model")
    ),
    "every message is refused, and so is its count": changed(
        lambda exchange: exchange.request.path.startswith("/messages") and not UNKNOWN(exchange),
        refusing(400, _INVALID, "The tokenizer of this model has no chat template"),
    ),
    "a count that took too long": changed(COUNT, refusing(408, _INVALID, "The request timed out")),
    "a rate limit for messages": changed(either(CLAUDE_CODE, COUNT), refusing(429, "rate_limit_error")),
    "a count with more than the tokens": changed(COUNT, answer(put("context_management", {"original": 5}))),
    "a structured message is refused": changed(
        STRUCTURED, refusing(400, _INVALID, "output_config is not supported")
    ),
    "errors of messages without the name of the exchange": changed(REFUSALS, answer(cut("request_id"))),
    "errors of messages with fields of one's own": changed(REFUSALS, answer(put("error.param", "model"))),
}
