"""Servers with one fault that breaks many rules: a conforming server with changed requests or answers. Each has the
name of the cause that a report must show for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from gonogo.exchange import FailureKind
from gonogo.faults import surface_edits
from gonogo.faults.answers import GENERATIONS, all_of, fields, refusals, streams, wholes
from gonogo.faults.editing import (
    DONE,
    answer,
    answered,
    body,
    each,
    frames,
    header,
    made,
    put,
    refused,
    silent,
    status,
)
from gonogo.faults.stream_edits import (
    always_finishing,
    first_empty,
    json_lines,
    merge,
    one_index,
    repeat_a_piece,
    roles,
    so_far,
    texts,
    torn,
    uncounted,
    until_finish,
    usage_at_finish,
    without_usage,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Edit, JsonEdit

    Json = dict[str, Any]
    Rewrite = Callable[[Json], Json]

MESSAGES = ("/messages", "/messages/count_tokens")
ANY_MODEL = "ideal"
"""A model of the conforming server."""


@dataclass
class Faulty:
    """A server with this fault.

    `rewrite` changes the body of a POST before the conforming server reads it. `edit` changes the answer, in an
    exchange with the client's request. If it `validates`, it still rejects requests that the conforming server rejects.
    Some edits have state: each server has its own. Requests to a path in `spares` are not rewritten: a parameter that
    one surface ignores may be needed by another.
    """

    edit: Edit = lambda exchange: exchange
    rewrite: Rewrite = lambda body: body
    validates: bool = False
    spares: tuple[str, ...] = ()

    def read(self, path: str, fields: Json) -> Json:
        """The body of a POST to a path for the conforming server."""
        return fields if path.partition("?")[0] in self.spares else self.rewrite(fields)


# ---- refusals ------------------------------------------------------------------------------------------------


def _of_error(make: Callable[[Json], Json]) -> Edit:
    """Replace the envelope of each refusal."""

    def edit(exchange: Exchange) -> Exchange:
        return body(json.dumps(make(json.loads(exchange.body)["error"])).encode())(exchange)

    return refusals(edit)


def _without(name: str, value: object) -> Edit:
    return refusals(answer(put(f"error.{name}", value)))


def _plain_answers() -> Edit:
    """Answer every request of chat, completions and embeddings that is refused for its parameters."""
    message = {"role": "assistant", "content": "Hi", "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    head = {"id": "chatcmpl-0", "object": "chat.completion", "created": 1_760_000_000, "model": "ideal"}
    ids = count(1)

    def edit(exchange: Exchange) -> Exchange:
        if (
            exchange.status != 400
            or b"context_length_exceeded" in exchange.body
            or exchange.request.fields.get("stream") is True
            or b"context_length_exceeded" in exchange.body
            or exchange.request.path != "/chat/completions"
            or not exchange.request.fields
        ):
            return exchange
        return answered({**head, "id": f"chatcmpl-v{next(ids)}", "choices": [choice], "usage": usage})(
            exchange
        )

    return edit


def _one_vector(exchange: Exchange) -> Exchange:
    """Give every text the vector of the first."""
    if exchange.request.path != "/embeddings" or exchange.status != 200:
        return exchange
    alike = made("data", lambda old: [entry | {"embedding": old[0]["embedding"]} for entry in old])
    return answer(alike)(exchange)


def _parts_crash(exchange: Exchange) -> Exchange:
    """Fail at content in parts, as code that expects a string does."""
    parts = b'"content": [' in exchange.request.body and exchange.status == 200
    return refused(500)(exchange) if parts else exchange


def _server_errors(exchange: Exchange) -> Exchange:
    wrong = exchange.status == 400 and exchange.request.path in (*GENERATIONS, "/embeddings")
    return refused(500, b"Internal Server Error", "text/plain")(exchange) if wrong else exchange


# ---- requests ------------------------------------------------------------------------------------------------


def dropping(*names: str) -> Rewrite:
    """Remove these parameters, as a server that ignores them does."""
    return lambda fields: {name: value for name, value in fields.items() if name not in names}


def _no_limit_of_zero(fields: Json) -> Json:
    limits = {name for name in ("max_tokens", "max_completion_tokens") if fields.get(name) == 0}
    return dropping(*limits)(fields) if limits and not isinstance(fields.get("max_tokens"), bool) else fields


def _fails_with(name: str) -> Edit:
    """Fail with a server error for every request with the parameter."""

    def edit(exchange: Exchange) -> Exchange:
        has_it = exchange.request.fields.get(name) is not None
        return refused(500, b"Internal Server Error", "text/plain")(exchange) if has_it else exchange

    return edit


def _any_model(fields: Json) -> Json:
    known = fields.get("model") != "gonogo-no-such-model"
    return fields if known else {**fields, "model": ANY_MODEL}


def _nulls_refused(exchange: Exchange) -> Exchange:
    if exchange.status == 200 and None in exchange.request.fields.values():
        return refused(400)(exchange)
    return exchange


def _string_refused(exchange: Exchange) -> Exchange:
    named = isinstance(exchange.request.fields.get("stop"), str)
    return refused(400)(exchange) if exchange.status == 200 and named else exchange


def _canned(fields: Json) -> Json:
    """Use one prompt and one limit for all requests."""
    if "input" in fields:
        return fields
    kept: Json = {name: fields[name] for name in ("model", "stream", "stream_options") if name in fields}
    if "messages" in fields:
        kept["messages"] = [{"role": "user", "content": "Say hello."}]
    if "prompt" in fields:
        kept["prompt"] = "Say hello."
    return {**kept, "max_tokens": 12, "temperature": 0}


def _unstopped(fields: Json) -> Json:
    return fields if fields.get("stream") else dropping("stop")(fields)


def _stop_cut_out(exchange: Exchange) -> Exchange:
    stop = exchange.request.fields.get("stop")

    def edit(value: Json) -> None:
        for choice in value["choices"]:
            holder, name = (choice["message"], "content") if "message" in choice else (choice, "text")
            for one in [stop] if isinstance(stop, str) else stop or []:
                holder[name] = (holder[name] or "").replace(one, "", 1)

    return answer(edit)(exchange) if stop else exchange


def _stop_included(exchange: Exchange) -> Exchange:
    stop = exchange.request.fields.get("stop")
    end = stop[-1] if isinstance(stop, list) and stop else stop

    def edit(value: Json) -> None:
        for choice in value["choices"]:
            holder, name = (choice["message"], "content") if "message" in choice else (choice, "text")
            if choice["finish_reason"] == "stop":
                holder[name] += end

    return answer(edit)(exchange) if stop else exchange


def _mortal() -> Edit:
    """Stop answering after a list of prompts."""
    deaths: list[str] = []

    def edit(exchange: Exchange) -> Exchange:
        prompt = exchange.request.fields.get("prompt")
        if isinstance(prompt, list) and prompt and isinstance(prompt[0], str):
            deaths.append(exchange.id)
        return silent(FailureKind.RESET, "the connection broke")(exchange) if deaths else exchange

    return edit


def _null(exchange: Exchange) -> Exchange:
    return answered({})(replace(exchange, headers=()))


KINDS: dict[str, Callable[[], Faulty]] = {
    "cumulative-deltas": lambda: Faulty(texts(so_far)),
    "first-piece-lost": lambda: Faulty(texts(lambda parts: ["", *parts[1:]])),
    "last-piece-lost": lambda: Faulty(texts(lambda parts: [*parts[:-1], ""])),
    "piece-twice": lambda: Faulty(streams(frames(repeat_a_piece))),
    "two-events-in-one": lambda: Faulty(streams(frames(merge))),
    "one-index": lambda: Faulty(streams(each(one_index))),
    "stream-cut": lambda: Faulty(streams(frames(until_finish))),
    "json-lines": lambda: Faulty(streams(json_lines)),
    "stream-ignored": lambda: Faulty(rewrite=dropping("stream", "stream_options")),
    "all-streams-fail": lambda: Faulty(
        streams(
            refused(500, b'{"error": {"message": "no", "type": "server_error", "param": null, "code": null}}')
        )
    ),
    "empty-first-chunk": lambda: Faulty(streams(frames(first_empty))),
    "finish-in-every-chunk": lambda: Faulty(streams(each(always_finishing))),
    "done-missing": lambda: Faulty(streams(frames(lambda old: [f for f in old if f != DONE]))),
    "role-in-every-delta": lambda: Faulty(streams(each(roles))),
    "usage-beside-choices": lambda: Faulty(streams(frames(usage_at_finish))),
    "errors-as-200": lambda: Faulty(refusals(status(200))),
    "detail": lambda: Faulty(_of_error(lambda error: {"detail": error["message"]})),
    "server-errors-for-wrong-types": lambda: Faulty(_server_errors),
    "server-errors-for-valid-requests": lambda: Faulty(_parts_crash),
    "error-string": lambda: Faulty(_of_error(lambda error: {"error": error["message"]})),
    "error-at-top-level": lambda: Faulty(_of_error(lambda error: error)),
    "errors-not-json": lambda: Faulty(
        refusals(all_of(header("content-type", "text/plain"), body(b"Bad Request")))
    ),
    "not-validated": lambda: Faulty(_plain_answers()),
    "unprocessable": lambda: Faulty(lambda e: status(422)(e) if e.status == 400 else e),
    "wrong-status": lambda: Faulty(lambda e: status(409)(e) if e.status == 400 else e),
    "param-missing": lambda: Faulty(_without("param", None)),
    "code-wrong": lambda: Faulty(_without("code", 400)),
    "model-ignored": lambda: Faulty(rewrite=_any_model),
    "empty-answers": lambda: Faulty(_null),
    "canned-text": lambda: Faulty(rewrite=_canned, validates=True, spares=MESSAGES),
    "usage-missing": lambda: Faulty(all_of(wholes(answer(uncounted)), streams(frames(without_usage)))),
    "usage-zero": lambda: Faulty(fields(_counting(0, 0))),
    "usage-constant": lambda: Faulty(fields(_counting(10, 20))),
    "one-id": lambda: Faulty(fields(put("id", "chatcmpl-1"))),
    "n-ignored": lambda: Faulty(rewrite=dropping("n", "best_of")),
    "limit-zero-ignored": lambda: Faulty(rewrite=_no_limit_of_zero),
    "parameter-fails": lambda: Faulty(_fails_with("logit_bias")),
    "limit-ignored": lambda: Faulty(rewrite=dropping("max_tokens", "max_completion_tokens"), spares=MESSAGES),
    "stop-ignored": lambda: Faulty(rewrite=dropping("stop")),
    "stop-cut-out": lambda: Faulty(wholes(_stop_cut_out), rewrite=_unstopped, validates=True),
    "stop-included": lambda: Faulty(wholes(_stop_included)),
    "target-died": lambda: Faulty(_mortal()),
    "logprobs-ignored": lambda: Faulty(rewrite=dropping("logprobs", "top_logprobs")),
    "echo-ignored": lambda: Faulty(rewrite=dropping("echo")),
    "schema-ignored": lambda: Faulty(rewrite=dropping("response_format")),
    "tool-choice-ignored": lambda: Faulty(rewrite=dropping("tools", "tool_choice")),
    "base64-ignored": lambda: Faulty(rewrite=dropping("encoding_format")),
    "dimensions-ignored": lambda: Faulty(rewrite=dropping("dimensions")),
    "created-is-now": lambda: Faulty(_created_now()),
    "nulls-refused": lambda: Faulty(_nulls_refused),
    "stop-string-refused": lambda: Faulty(_string_refused),
    "one-vector": lambda: Faulty(_one_vector),
    "retrieve-missing": lambda: Faulty(
        lambda e: refused(404)(e) if e.request.path.startswith("/models/") else e
    ),
    "retrieve-lists": lambda: Faulty(
        lambda e: answered({"object": "list", "data": []})(e) if e.request.path.startswith("/models/") else e
    ),
    "nulls-in-answers": lambda: Faulty(wholes(answer(put("usage.prompt_tokens_details", None)))),
    "required-keys-missing": lambda: Faulty(wholes(answer(_keys_cut))),
    "control-tokens": lambda: Faulty(texts(lambda parts: [*parts[:-1], parts[-1] + "<|im_end|>"])),
    "response-bare": lambda: Faulty(surface_edits.bare_responses),
    "stop-reason-constant": lambda: Faulty(surface_edits.one_reason),
    "cut-reported-complete": lambda: Faulty(surface_edits.reported_complete),
    "characters-torn": lambda: Faulty(texts(lambda parts: [*map(torn, parts)])),
}
"""A server for each known kind of fault, by the name of the cause."""


def _counting(prompt: int, completion: int) -> JsonEdit:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}

    def edit(value: Json) -> None:
        if value.get("usage"):
            value["usage"] = dict(usage)

    return edit


def _created_now() -> Edit:
    clock = count(1_760_000_000)

    def edit(exchange: Exchange) -> Exchange:
        if exchange.request.path != "/models" or exchange.status != 200 or not exchange.body:
            return exchange
        return answer(put("data.*.created", next(clock)))(exchange)

    return edit


def _keys_cut(value: Json) -> None:
    for choice in value["choices"]:
        if choice.get("logprobs") is None:
            choice.pop("logprobs", None)
        if "message" in choice and choice["message"].get("refusal") is None:
            choice["message"].pop("refusal", None)
