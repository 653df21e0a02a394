"""Faults of refusals: their status, and the error object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.faults.editing import (
    answer,
    answered,
    body,
    changed,
    cut,
    header,
    made,
    put,
    refused,
    silent,
    status,
)
from gonogo.faults.fault import Fault, fault, under
from gonogo.faults.picks import asked
from gonogo.faults.rule_picks import keys
from gonogo.rules import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Json
    from gonogo.faults.picks import Pick

ROUTE = asked("GET /gonogo-no-such-route")
METHOD = asked("PUT /chat/completions")
UNKNOWN_MODEL = asked('POST /chat/completions {"model":"gonogo-no-such-model"}')
WARM = asked('POST /chat/completions {"temperature":"warm"}')
STRING_STREAMED = asked('POST /chat/completions {"messages":"Hello","stream":true}')


def REFUSALS(exchange: Exchange) -> bool:  # noqa: N802 - a pick like the others
    """Every refusal by an operation with this envelope, except those for a missing or wrong key."""
    if exchange.request.path.startswith("/messages"):
        return False
    wrong = exchange.status is not None and exchange.status >= 400 and exchange.status != 401
    return wrong and not (ROUTE(exchange) or METHOD(exchange))


_HTML = b"<!doctype html><title>400</title>Bad Request"

# One field of every error, and the rules about it.
_FIELDS = (
    ("errors without a message", "openai/openai-node#1734", ("envelope.message",), cut("error.message")),
    (
        "errors with an object as message",
        "an exception's arguments",
        ("envelope.message",),
        put("error.message", {"text": "No."}),
    ),
    (
        "a stack trace as the message of errors",
        "a debug mode left on",
        ("envelope.no_trace",),
        put("error.message", 'Traceback (most recent call last):\n  File "app.py", line 7, in chat'),
    ),
    (
        "a path of the server in the message of errors",
        "the text of an OSError passed on",
        ("envelope.no_path",),
        put("error.message", "[Errno 2] No such file or directory: '/home/ada/.cache/models/x/config.json'"),
    ),
    (
        "errors with an empty message",
        "openai/openai-node#1734",
        ("envelope.words",),
        put("error.message", " "),
    ),
    ("errors without a type", "a handler that forgets it", ("envelope.type",), cut("error.type")),
    ("errors with null as type", "a class not known", ("envelope.type",), put("error.type", None)),
    (
        "errors without param",
        "a key that is left out while it is null",
        ("envelope.param", "detail.param"),
        cut("error.param"),
    ),
    (
        "errors with a list as param",
        "FastAPI's loc as it is",
        ("envelope.param", "detail.param"),
        put("error.param", ["body", "messages"]),
    ),
    (
        "errors with a number as code",
        "ggml-org/llama.cpp#12591, vllm-project/vllm PR#58025",
        ("envelope.code", "detail.code", "context.code"),
        put("error.code", 400),
    ),
    (
        "errors without a code",
        "a key that is left out while it is null",
        ("envelope.code", "detail.code", "context.code"),
        cut("error.code"),
    ),
)


def _named(rules: Iterable[str]) -> Iterator[str]:
    """The rules about the param of a single refusal, if these rules are about params."""
    if "detail.param" in rules:
        yield from (rule for rule in load().ids if rule.startswith("sampling.named."))
        yield from ("responses.refused.param", "responses.previous.param")


def _as_detail(value: Json) -> None:
    value["detail"] = value.pop("error")["message"]


def _in_detail(value: Json) -> None:
    value["detail"] = {"error": value.pop("error")}


def _flat(value: Json) -> None:
    value.update(value.pop("error"), object="error")


_FORMS = (
    ("the error as a string", "microsoft/autogen#279", made("error", lambda error: error["message"])),
    ("the error as a list", "several complaints", made("error", lambda error: [error])),
    ("the error as detail", "ray-project/ray#64833", _as_detail),
    ("the error inside of detail", "raullenchai/Rapid-MLX PR#491", _in_detail),
    ("the fields of the error at the top", "vllm-project/vllm#12886", _flat),
)


def _statuses() -> Iterator[Fault]:
    """The answers of servers that do not validate, for every invalid request."""
    ids = [scenario.rule.id for scenario in load()]
    picks = {s.rule.id: asked(keys(s.rule.id)[-1]) for s in load() if s.rule.group == "errors.refused"}
    for rule, pick in picks.items():
        name = rule.rpartition(".")[2]
        if name in {"unknown_route", "wrong_method"}:
            continue
        harmless, exact = f"errors.harmless.{name}", f"errors.status.{name}"
        failing = harmless if harmless in ids else rule
        yield from _of(name.replace("_", " "), pick, rule, failing, exact if exact in ids else None)


def _of(wrong: str, pick: Pick, rule: str, failing: str, status_rule: str | None) -> Iterator[Fault]:
    agreeing = ["errors.status.streamed"] if wrong == "messages string" else []
    yield fault(
        f"{wrong}: answered all the same",
        "what is wrong is ignored (Arthur-Ficial/apfel#235, ddalcu/mlx-serve#257)",
        [rule, *agreeing],
        changed(pick, answered({"choices": []})),
    )
    yield fault(
        f"{wrong}: a server error",
        "unguarded code (sgl-project/sglang#3805, lm-sys/FastChat#1546)",
        [failing, *agreeing],
        changed(pick, refused(500)),
    )
    yield fault(
        f"{wrong}: a dropped connection",
        "a worker that ends (ggml-org/llama.cpp#11738)",
        [failing],
        changed(pick, silent(FailureKind.RESET)),
    )
    if status_rule is not None:
        yield fault(
            f"{wrong}: 422",
            "FastAPI's own status for it (ray-project/ray#64833)",
            [status_rule, *agreeing],
            changed(pick, status(422)),
        )


FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, imitates, {*under("errors", *rules), *_named(rules)}, changed(REFUSALS, answer(edit)))
        for name, imitates, rules, edit in _FIELDS
    ),
    *(
        fault(
            name,
            imitates,
            "errors.envelope.object",
            changed(asked("POST /chat/completions raw []"), answer(edit)),
        )
        for name, imitates, edit in _FORMS
    ),
    fault(
        "refusals without a body",
        "BerriAI/litellm#1554",
        "errors.envelope.object",
        changed(asked("POST /chat/completions raw []"), body(b"")),
    ),
    fault(
        "refusals as a web page",
        "a proxy's own page",
        under("errors.envelope", "object", "content_type"),
        changed(asked("POST /chat/completions raw []"), header("content-type", "text/html"), body(_HTML)),
    ),
    fault(
        "refusals as plain text",
        "sgl-project/sglang#3805",
        "errors.envelope.content_type",
        changed(REFUSALS, header("content-type", "text/plain")),
    ),
    fault(
        "refusals without a content type",
        "BerriAI/litellm#1554",
        "errors.envelope.content_type",
        changed(REFUSALS, header("content-type", None)),
    ),
    *_statuses(),
    fault(
        "another code for an unknown model",
        "a code of one's own",
        "errors.detail.code",
        changed(UNKNOWN_MODEL, answer(put("error.code", "NotFoundError"))),
    ),
    fault(
        "null as code for an unknown model",
        "a code that was not thought of",
        "errors.detail.code",
        changed(UNKNOWN_MODEL, answer(put("error.code", None))),
    ),
    fault(
        "an unknown model is a bad request in chats",
        "one status for everything",
        "errors.status.unknown_model",
        changed(UNKNOWN_MODEL, status(400)),
    ),
    fault(
        "null as param of a wrong type",
        "a param that was not thought of",
        "errors.detail.param",
        changed(WARM, answer(put("error.param", None))),
    ),
    fault(
        "another param than the wrong one",
        "the first of the request",
        "errors.detail.param",
        changed(WARM, answer(put("error.param", "messages"))),
    ),
    fault(
        "an error inside of a 200 stream",
        "sgl-project/sglang#19996, lmstudio-ai/lmstudio-bug-tracker#2322",
        "errors.status.streamed",
        changed(
            STRING_STREAMED,
            header("content-type", "text/event-stream"),
            status(200),
            body(b'data: {"error":{"message":"No."}}\n\n'),
        ),
    ),
    fault(
        "another status with stream",
        "miruamel/xuan#215",
        "errors.status.streamed",
        changed(STRING_STREAMED, status(404)),
    ),
    # ---- routes and methods
    fault(
        "an unknown route is answered",
        "lmstudio-ai/lmstudio-bug-tracker#618",
        "errors.refused.unknown_route",
        changed(ROUTE, status(200)),
    ),
    fault(
        "an unknown route fails the server",
        "a router without a default",
        "errors.refused.unknown_route",
        changed(ROUTE, status(500)),
    ),
    fault(
        "an unknown route is a bad request",
        "one status for everything",
        "errors.status.unknown_route",
        changed(ROUTE, status(400)),
    ),
    fault(
        "an unknown route is a web page",
        "openvinotoolkit/model_server#3555",
        "errors.envelope.unknown_route",
        changed(ROUTE, refused(404, _HTML, "text/html")),
    ),
    fault(
        "an unknown route has no body",
        "UOR-Foundation/uor-r4 PR#764",
        "errors.envelope.unknown_route",
        changed(ROUTE, body(b"")),
    ),
    fault(
        "a wrong method is answered",
        "a router that does not look at methods",
        "errors.refused.wrong_method",
        changed(METHOD, status(200)),
    ),
    fault(
        "a wrong method drops the connection",
        "a worker that ends",
        "errors.refused.wrong_method",
        changed(METHOD, silent(FailureKind.RESET)),
    ),
    fault(
        "a wrong method is a bad request",
        "one status for everything",
        "errors.status.wrong_method",
        changed(METHOD, status(400)),
    ),
    fault(
        "a wrong method is a web page",
        "openvinotoolkit/model_server#3555",
        "errors.envelope.wrong_method",
        changed(METHOD, refused(405, _HTML, "text/html")),
    ),
    fault(
        "a wrong method gets a string as error",
        "lmstudio-ai/lmstudio-bug-tracker#618",
        "errors.envelope.wrong_method",
        changed(METHOD, answer(made("error", lambda error: error["message"]))),
    ),
)
