"""What gateways do wrong, and what they may do, as changes to the evidence of a run on a correct one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gonogo.exchange import Failure, FailureKind
from gonogo.faults.editing import (
    DONE,
    answered,
    appended,
    both,
    changed,
    cut,
    each,
    event,
    failing,
    frames,
    header,
    inserted,
    put,
    raw,
    refused,
    silent,
    status,
    without,
)
from gonogo.faults.fault import fault
from gonogo.faults.picks import asked, holding
from gonogo.stimuli import plays
from gonogo.stimuli.played import CLIENT_KEY, SAW

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Change, Edit

STOP = event(
    {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
)
COUNT = event({"object": "chat.completion.chunk", "choices": [], "usage": dict(plays.USAGE)})
ERROR = event(
    {"error": {"message": "The upstream broke off.", "type": "server_error", "param": None, "code": None}}
)
ENVELOPE = {"error": {"message": "The upstream failed.", "type": "server_error", "param": None, "code": None}}


def whole(name: str) -> str:
    return f"gateway whole: {name}"


def streamed(name: str) -> str:
    return f"gateway stream: {name}"


def sight(key: str) -> str:
    return f"upstream 1 of {key}"


def completed(*more: bytes) -> Edit:
    """The stream without its error, ended as if it were complete."""
    return frames(lambda old: [*(frame for frame in old if b'"error"' not in frame), *more])


def saw(text: str) -> Edit:
    """The upstream saw this in the request."""

    def edit(exchange: Exchange) -> Exchange:
        request = exchange.request
        return replace(exchange, request=replace(request, headers=(*request.headers, (SAW, text))))

    return edit


def lasting(left: float | None) -> Edit:
    """The upstream was abandoned after this many seconds, or answered to its end."""
    gone = None if left is None else Failure(FailureKind.RESET, left, "the gateway closed the connection")
    return lambda exchange: replace(exchange, failure=gone, seconds=8.0 if left is None else left)


def has_call(chunk: dict[str, Any]) -> bool:
    return "tool_calls" in chunk["choices"][0]["delta"]


def like(key: str) -> Change:
    """The answer to the picked request becomes that to "plain 2"."""

    def change(record: Record) -> Record:
        other = next(one for one in record.exchanges if one.stimulus == whole("plain 2"))
        return changed(asked(key), lambda one: replace(one, chunks=other.chunks))(record)

    return change


BREAKS, ENDS, EVENT = streamed("breaks"), streamed("ends-early"), streamed("error-event")
CALLS, LEFT = streamed("calls"), "gateway stream left: long"
SECOND = "gateway whole second: plain 8"
CRASHES, PAGE, GARBLED = whole("crashes"), whole("page"), whole("garbled")

FAULTS = (
    fault(
        "a-broken-stream-completed",
        "BerriAI/litellm#33404",
        ("gateway.stream.broken"),
        changed(asked(BREAKS), completed(STOP, DONE)),
    ),
    fault(
        "a-broken-stream-ended",
        "a gateway that reads until the connection ends",
        "gateway.stream.broken",
        changed(asked(BREAKS), completed()),
    ),
    fault(
        "a-broken-stream-held-open",
        "a gateway that waits for an upstream that is gone",
        "gateway.stream.broken",
        changed(asked(BREAKS), completed(), failing(FailureKind.TIMEOUT)),
    ),
    fault(
        "a-finish-made-up",
        "BerriAI/litellm#40260",
        "gateway.stream.unfinished",
        changed(asked(ENDS), completed(STOP, DONE)),
    ),
    fault(
        "an-error-event-swallowed",
        "BerriAI/litellm PR#39748",
        "gateway.stream.error",
        changed(asked(EVENT), completed(DONE)),
    ),
    fault(
        "comments-as-data",
        "mnfst/llm-gateway#2053",
        "gateway.stream.comments",
        changed(asked(streamed("comments")), inserted(1, f"data: : {plays.COMMENT}\n\n".encode())),
    ),
    fault(
        "comments-in-the-text",
        "a gateway that reads every line as text",
        "gateway.stream.comments",
        changed(
            asked(streamed("comments")), inserted(2, event({"choices": [{"delta": {"content": ": x"}}]}))
        ),
    ),
    fault(
        "packets-read-as-text",
        "a reader that decodes each packet by itself",
        "gateway.stream.pieces",
        changed(asked(streamed("split")), raw(lambda body: body.replace("ö".encode(), b"??"))),
    ),
    fault(
        "usage-lost",
        "a gateway that passes on what has choices",
        "gateway.stream.usage",
        changed(asked("gateway stream usage: plain"), without(-2)),
    ),
    fault(
        "usage-of-its-own",
        "a gateway that counts with another tokenizer",
        "gateway.stream.usage",
        changed(
            asked("gateway stream usage: plain"),
            each(put("usage.completion_tokens", 3), where=lambda chunk: bool(chunk.get("usage"))),
        ),
    ),
    fault(
        "usage-unasked",
        "a gateway that passes everything on",
        "gateway.stream.usage_unasked",
        changed(asked(streamed("counts")), inserted(-1, COUNT)),
    ),
    fault(
        "calls-without-index",
        "AstrBotDevs/AstrBot PR#6692",
        "gateway.stream.call_index",
        changed(
            asked(CALLS),
            each(cut("choices.0.delta.tool_calls.0.index"), where=has_call),
        ),
    ),
    fault(
        "calls-of-one-index",
        "LiteLLM 1.106 gives every call without an index the index 0",
        "gateway.stream.call_index",
        changed(
            asked(CALLS),
            each(put("choices.0.delta.tool_calls.0.index", 0), where=has_call),
        ),
    ),
    fault(
        "upstream-read-to-its-end",
        "BerriAI/litellm#13774",
        "gateway.stream.cancelled",
        changed(asked(sight(LEFT)), lasting(None)),
    ),
    fault(
        "upstream-left-late",
        "a gateway that looks every few seconds whether the client is there",
        "gateway.stream.cancelled",
        changed(asked(sight(LEFT)), lasting(6.0)),
    ),
    fault(
        "an-answer-of-another",
        "a cache whose key leaves something out",
        "gateway.isolation",
        like(whole("plain 4")),
    ),
    fault(
        "the-clients-key-passed-on",
        "a gateway that copies the headers of the client",
        "gateway.key.client",
        changed(asked(sight(whole("plain 2"))), saw(CLIENT_KEY)),
    ),
    fault(
        "one-key-for-all-providers",
        "a client of HTTP that two providers share",
        "gateway.key.providers",
        changed(asked(sight(SECOND)), saw("the key of the first provider")),
    ),
    fault(
        "the-other-provider-asked",
        "a route that takes the first provider",
        "gateway.key.providers",
        like(SECOND),
    ),
    fault(
        "the-key-in-an-error",
        "an error of the upstream passed on as it is",
        "gateway.key.leaked",
        changed(asked(whole("bars")), answered({"error": {**ENVELOPE["error"], "message": plays.KEY}}, 502)),
    ),
    fault(
        "the-key-in-a-header",
        "a gateway that copies the headers of the upstream's request",
        "gateway.key.leaked",
        changed(asked(whole("plain 2")), header("x-upstream-key", plays.KEY)),
    ),
    fault(
        "a-trace-in-an-error",
        "an error of the upstream passed on as it is",
        "gateway.errors.inside",
        changed(asked(CRASHES), answered({"error": {**ENVELOPE["error"], "message": plays.INSIDE[2]}}, 500)),
    ),
    fault(
        "a-page-passed-on",
        "a gateway that passes on whatever it does not know",
        "gateway.errors.envelope",
        changed(asked(PAGE), refused(502, b"<html>Bad Gateway</html>", "text/html")),
    ),
    fault(
        "no-answer-from-a-silent-upstream",
        "a gateway that dies with the connection of its upstream",
        ("gateway.errors.envelope", "gateway.errors.failed"),
        changed(asked(whole("silent")), silent(FailureKind.RESET)),
    ),
    fault(
        "half-an-answer-passed-on",
        "a gateway that copies bytes",
        "gateway.errors.failed",
        changed(asked(GARBLED), answered({"choices": []})),
    ),
    fault(
        "a-failure-as-the-clients",
        "a gateway with one status for all errors",
        "gateway.errors.failed",
        changed(asked(CRASHES), status(400)),
    ),
    fault(
        "a-refusal-as-an-outage",
        "a gateway with one status for all errors",
        "gateway.errors.refused",
        changed(asked(whole("refuses")), status(500)),
    ),
    fault(
        "the-upstreams-401-passed-on",
        "LiteLLM 1.106",
        "gateway.errors.upstream_key",
        changed(asked(whole("bars")), status(401)),
    ),
    fault(
        "no-retry-after",
        "LiteLLM 1.106 sends it as llm_provider-retry-after",
        "gateway.errors.retry_after",
        changed(asked(whole("full")), header("retry-after", None)),
    ),
    fault(
        "a-rate-limit-as-an-outage",
        "a gateway with one status for all errors",
        "gateway.errors.retry_after",
        changed(asked(whole("full")), status(500)),
    ),
)


def twice(record: Record) -> Record:
    """Every request reached the upstream twice, as with a gateway that retries."""
    sights = [one for one in record.exchanges if one.stimulus.startswith("upstream 1 of")]
    again = [
        replace(one, id=f"{one.id}b", stimulus=one.stimulus.replace("upstream 1", "upstream 2"))
        for one in sights
    ]
    return replace(record, exchanges=(*record.exchanges, *again))


HARMLESS: dict[str, Change] = {
    "a broken stream breaks for the client": changed(asked(BREAKS), completed(), failing(FailureKind.RESET)),
    "a broken stream is an error from the start": changed(asked(BREAKS), answered(ENVELOPE, 502)),
    "a stream without a finish ends like that": changed(asked(ENDS), completed()),
    "a stream without a finish ends with [DONE]": changed(asked(ENDS), completed(DONE)),
    "an error event is followed by [DONE]": changed(asked(EVENT), appended(DONE)),
    "an error event breaks the connection": changed(asked(EVENT), completed(), failing(FailureKind.RESET)),
    "comments are sent on as comments": changed(
        asked(streamed("comments")), inserted(1, f": {plays.COMMENT}\n\n".encode())
    ),
    "usage comes with the last choice": changed(
        asked("gateway stream usage: plain"),
        without(-2),
        each(
            put("usage", dict(plays.USAGE)),
            where=lambda chunk: bool(chunk["choices"][0].get("finish_reason")),
        ),
    ),
    "usage is null elsewhere": changed(asked(streamed("counts")), each(put("usage", None))),
    "calls without an index are an error": changed(asked(CALLS), answered(ENVELOPE, 502)),
    "calls end in an error": changed(asked(CALLS), frames(lambda old: [*old[:2], ERROR])),
    "the upstream is left after two seconds": changed(asked(sight(LEFT)), lasting(2.0)),
    "requests are tried again": twice,
    "a silent upstream is a 504": changed(asked(whole("silent")), status(504)),
    "a failure is a 500": changed(asked(CRASHES, PAGE, GARBLED), status(500)),
    "a refusal is a 422": changed(asked(whole("refuses")), status(422)),
    "a rate limit is a 503": changed(asked(whole("full")), status(503)),
    "a rate limit is a long wait": changed(asked(whole("full")), header("retry-after", "3600")),
    "headers name the upstream's model": changed(
        holding("gateway "), header("x-upstream-model", plays.MODEL)
    ),
    "the same key is the client's and the upstream's": both(
        changed(asked(sight(whole("plain 2"))), saw("the key of the first provider"))
    ),
}
