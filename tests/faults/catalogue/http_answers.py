"""Faults of HTTP itself: answers that fail, break off or never come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.editing import asked, changed, failing, header, refused, silent
from faults.fault import Fault, fault
from gonogo.exchange import FailureKind
from gonogo.stimuli.life import is_sign_of_life

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

AGAIN = asked("POST /chat/completions {} #2")  # an answer that is only counted where it is there
HOSTILE = asked("POST /chat/completions raw {not json")


def _alive(exchange: Exchange) -> bool:
    return is_sign_of_life(exchange.stimulus)


def _every(_: Exchange) -> bool:
    return True


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
        "a queue that is full",
        "http.no_server_error",
        changed(AGAIN, refused(503)),
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
        "http.in_time",
        changed(HOSTILE, silent(FailureKind.TIMEOUT)),
    ),
    fault(
        "nobody is there after a wrong request",
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
)
