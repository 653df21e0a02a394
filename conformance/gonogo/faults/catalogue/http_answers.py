"""Faults of HTTP itself: answers that fail, break off or never arrive."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.faults.editing import (
    answer,
    both,
    changed,
    event,
    failing,
    header,
    inserted,
    put,
    refused,
    silent,
)
from gonogo.faults.fault import Fault, fault, under
from gonogo.faults.picks import asked
from gonogo.faults.rule_picks import keys, last
from gonogo.rules import load
from gonogo.stimuli.framing import SHARED_ID
from gonogo.stimuli.life import is_sign_of_life, leaving, left_again, suspects
from gonogo.stimuli.stimulus import Risk

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Change, Edit

# An answer of which only the existence is checked.
AGAIN = asked('POST /chat/completions {"max_tokens":12,"seed":-9223372036854775808,"temperature":1} #2')
LARGE_BODY = "POST /chat/completions with a user of 65536 bytes"
PREFLIGHT = "OPTIONS /chat/completions from a page"
HOSTILE = asked("POST /chat/completions raw {not json")


GREEDY = 'POST /chat/completions {"max_tokens":24,"temperature":0}'
GREEDY_STREAM = 'POST /chat/completions {"max_tokens":24,"stream":true,"temperature":0} #2'
OTHER_GREEDY = asked('POST /completions {"max_tokens":24,"temperature":0}')


def first_beside(key: str, *edits: Edit) -> Change:
    """A run that first sent the request with this key in parallel and got this answer, and then sent it alone."""

    def change(record: Record) -> Record:
        last = next(exchange for exchange in record.exchanges if exchange.stimulus == key)
        first = replace(last, id="x9001")
        for edit in edits:
            first = edit(first)
        return replace(record, exchanges=(first, *record.exchanges))

    return change


def _other_text(record: Record) -> str:
    other = next(exchange for exchange in record.exchanges if OTHER_GREEDY(exchange))
    said: str = json.loads(other.body)["choices"][0]["text"]
    return said


def _alive(exchange: Exchange) -> bool:
    return is_sign_of_life(exchange.stimulus) and not _alive_after_leaving(exchange)


def _alive_after_leaving(exchange: Exchange) -> bool:
    return is_sign_of_life(exchange.stimulus) and leaving().key in suspects(exchange.stimulus)


def _generates(exchange: Exchange) -> bool:
    return exchange.request.method == "POST" and not is_sign_of_life(exchange.stimulus)


def _every(_: Exchange) -> bool:
    return True


def _from_wrong_ones_on(exchange: Exchange) -> bool:
    known = load().stimulus(exchange.stimulus)
    return is_sign_of_life(exchange.stimulus) or (known is not None and known.risk is not Risk.HARMLESS)


FAULTS: tuple[Fault, ...] = (
    fault(
        "a valid request fails the server",
        "an engine out of memory",
        "http.no_server_error",
        changed(AGAIN, refused(500)),
    ),
    fault(
        "a gateway without its server",
        "a worker that starts again",
        "http.no_server_error",
        changed(AGAIN, refused(502)),
    ),
    fault(
        "an unavailable server that does not say for how long",
        "waybarrios/vllm-mlx serves one request at a time",
        "http.retry_after",
        changed(AGAIN, refused(503)),
        good=changed(AGAIN, refused(503), header("retry-after", "1")),
    ),
    fault(
        "everything but the list of models is refused",
        "waybarrios/vllm-mlx serves one request at a time",
        "http.retry_after",
        changed(_generates, refused(503)),
    ),
    fault(
        "a valid request drops the connection",
        "containers/ramalama#752",
        "http.complete",
        changed(AGAIN, silent(FailureKind.RESET)),
    ),
    fault(
        "an answer that is cut off",
        "chatchat-space/Langchain-Chatchat#4542",
        "http.complete",
        changed(AGAIN, failing(FailureKind.RESET, keep=0)),
    ),
    fault(
        "an answer that is not HTTP",
        "a traceback on the wire",
        "http.complete",
        changed(AGAIN, silent(FailureKind.PROTOCOL)),
    ),
    fault(
        "a valid request that is never answered",
        "Blaizzy/mlx-vlm#1604",
        "http.in_time",
        changed(AGAIN, silent(FailureKind.TIMEOUT)),
    ),
    fault(
        "a wrong request that is never answered",
        "Blaizzy/mlx-vlm#1604",
        "http.refused_in_time",
        changed(HOSTILE, silent(FailureKind.TIMEOUT)),
    ),
    fault(
        "a wrong request that is answered, and not in time",
        "a limit below 0 that is none",
        "sampling.refused.max_tokens_negative",
        changed(
            last("sampling.refused.max_tokens_negative"),
            refused(200, b'data: {"choices":[]}\n\n', "text/event-stream"),
            failing(FailureKind.TIMEOUT),
        ),
    ),
    fault(
        "the server is gone after a wrong request",
        "ml-explore/mlx-lm#1215, ggml-org/llama.cpp#6396",
        "http.survives",
        changed(_alive, silent(FailureKind.CONNECT)),
    ),
    fault(
        "nothing but errors after a wrong request",
        "a worker that is not started again",
        "http.survives",
        changed(_alive, refused(503)),
    ),
    fault(
        "nothing but errors since a valid request",
        "waybarrios/vllm-mlx, while it writes on what the client no longer waits for",
        "http.retry_after",
        both(changed(AGAIN, refused(503)), changed(_alive, refused(503))),
    ),
    fault(
        "nothing but errors from the first wrong request on, which says of none who took the time",
        "waybarrios/vllm-mlx, while it writes on what the client no longer waits for",
        "http.retry_after",
        changed(_from_wrong_ones_on, refused(503)),
    ),
    fault(
        "the server is gone after a valid request was refused and wrong ones were not",
        "ml-explore/mlx-lm#1215, ggml-org/llama.cpp#6396",
        ("http.survives", "http.retry_after"),
        both(changed(AGAIN, refused(503)), changed(_alive, silent(FailureKind.CONNECT))),
    ),
    fault(
        "a plain request that is refused after a wrong one",
        "state that one request leaves to the next",
        "http.survives",
        changed(_alive, refused(400)),
    ),
    fault(
        "silence after a wrong request",
        "Blaizzy/mlx-vlm#1604",
        ("http.survives", "http.in_time"),
        changed(_alive, silent(FailureKind.TIMEOUT)),
    ),
    fault(
        "answers without x-request-id",
        "vllm-project/vllm#9593",
        "http.request_id",
        changed(_every, header("x-request-id", None)),
    ),
    fault(
        "one answer without x-request-id",
        "a handler that returns early",
        "http.request_id",
        changed(AGAIN, header("x-request-id", None)),
    ),
    fault(
        "a charset that is refused",
        "openai/openai-openapi#194",
        "http.charset",
        changed(asked("POST /chat/completions {} as application/json; charset=utf-8"), refused(415)),
    ),
    fault(
        "a media type that fails the server",
        "a body that is None where JSON was expected",
        "http.media_type",
        changed(asked("POST /chat/completions {} as text/plain"), refused(500)),
    ),
    fault(
        "a large body that fails the server",
        "a column of a log that is too short for it",
        "http.large_body",
        changed(asked(LARGE_BODY), refused(500)),
    ),
    fault(
        "a large body that drops the connection",
        "a server that closes before it has read what it refuses",
        "http.large_body",
        changed(asked(LARGE_BODY), silent(FailureKind.RESET)),
    ),
    fault(
        "HEAD that fails the server",
        "a handler that returns a body where none may be",
        "http.head",
        changed(asked("HEAD /models"), refused(500)),
    ),
    fault(
        "OPTIONS that fails the server",
        "a handler that reads a body that is not there",
        ("http.options", "http.cors"),
        changed(asked(PREFLIGHT), refused(500)),
    ),
    fault(
        "OPTIONS that is refused",
        "ollama/ollama#4388, lidge-jun/opencodex#1773",
        "http.cors",
        changed(asked(PREFLIGHT), refused(405)),
    ),
    fault(
        "OPTIONS that wants a key",
        "a check of keys in front of everything; a browser sends none with it",
        "http.cors",
        changed(asked(PREFLIGHT), refused(403)),
    ),
    fault(
        "a list of headers that is too short for openai-node",
        "pollinations/pollinations PR#10165",
        "http.cors",
        changed(asked(PREFLIGHT), header("access-control-allow-headers", "Authorization, Content-Type")),
    ),
    fault(
        "any header is allowed, and Authorization is not listed",
        "the * of a proxy's configuration, which stands for all headers but this one",
        "http.cors",
        changed(asked(PREFLIGHT), header("access-control-allow-headers", "*")),
    ),
    fault(
        "no origin is allowed",
        "paiml/aprender#671",
        "http.cors",
        changed(asked(PREFLIGHT), header("access-control-allow-origin", None)),
    ),
    fault(
        "a slash at the end that fails the server",
        "a model without a name that is looked up",
        "http.trailing_slash",
        changed(asked("GET /models/"), refused(500)),
    ),
    fault(
        "the server is gone after a client left",
        "a write to a closed connection that ends the process",
        under("http", "survives", "client_leaves"),
        changed(_alive_after_leaving, silent(FailureKind.CONNECT)),
    ),
    fault(
        "silence after a client left",
        "ggml-org/llama.cpp#24496, oobabooga/textgen#4521",
        under("http", "survives", "client_leaves", "in_time"),
        changed(_alive_after_leaving, silent(FailureKind.TIMEOUT)),
    ),
    fault(
        "a prompt that fails after a client left its stream",
        "vllm-mlx: a cache of the prompt that is left half filled",
        "http.left_prompt",
        changed(asked(left_again().key), refused(500)),
    ),
    fault(
        "an answer in gzip that was not requested",
        "a proxy that compresses everything",
        "http.coding",
        changed(AGAIN, header("content-encoding", "gzip")),
    ),
    fault(
        "a connection that is closed after the answer without notice",
        "a server of HTTP/1.0 that calls it HTTP/1.1",
        "http.connection",
        changed(last("http.connection"), lambda exchange: replace(exchange, hung_up=True)),
    ),
    fault(
        "the second of two requests with one id is refused",
        "a table of running requests by the id that the client gave",
        "http.shared_id",
        changed(last("http.shared_id"), refused(400)),
    ),
    fault(
        "two requests with one id fail the server",
        "a table of running requests by the id that the client gave",
        "http.shared_id",
        changed(asked(*keys("http.shared_id")[1:]), refused(500)),
    ),
    fault(
        "a request that fails beside others",
        "state that all requests share",
        "http.beside",
        first_beside(GREEDY, refused(500)),
        good=first_beside(GREEDY),
    ),
    fault(
        "a stream that ends in an error beside others",
        "state that all requests share",
        "http.beside",
        first_beside(
            GREEDY_STREAM, inserted(-1, event({"error": {"message": "No.", "type": "server_error"}}))
        ),
    ),
    fault(
        "the answer of somebody else",
        "answers that are told apart by their order",
        "http.beside",
        lambda record: first_beside(GREEDY, answer(put("choices.0.message.content", _other_text(record))))(
            record
        ),
    ),
    fault(
        "an answer with two lengths",
        "a handler that sets the length of what is sent in chunks",
        "http.one_length",
        changed(AGAIN, header("content-length", "7"), header("transfer-encoding", "chunked")),
    ),
    fault(
        "a refusal with 405 that names no method",
        "a handler that knows the status only",
        "http.allow",
        changed(asked("PUT /chat/completions"), header("allow", None)),
    ),
)

HARMLESS: dict[str, Change] = {
    "streams that are refused, and so cannot be left": changed(
        asked(leaving().key, left_again().key), refused(400)
    ),
    "no answer in time while the stream that was left goes on": changed(
        asked(left_again().key), silent(FailureKind.TIMEOUT)
    ),
    "a server that gives up a request behind a stream that was left": changed(
        asked(left_again().key), refused(499)
    ),
    "any header may be sent, and the key is named": changed(
        asked(PREFLIGHT), header("access-control-allow-headers", "*, authorization")
    ),
    "another text beside others": first_beside(
        GREEDY, answer(put("choices.0.message.content", "It reads two, or three."))
    ),
    "no time for the second of two requests with one id": changed(
        last("http.shared_id"), refused(429), header("retry-after", "1")
    ),
    "an id of the client's in the answers to both of its requests": changed(
        asked(*keys("http.shared_id")[1:]), header("x-request-id", SHARED_ID[0][1])
    ),
    "no time beside others": first_beside(GREEDY, refused(503), header("retry-after", "1")),
    "silence to a limit below 0, which may be taken for none": changed(
        last("sampling.refused.max_tokens_negative"), silent(FailureKind.TIMEOUT)
    ),
}
