"""The requests in scenarios, as stimuli. A scenario states what differs from the default request.

Every generation has a token limit, so that the cost of a run is known before it starts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from gonogo.exchange import Request
from gonogo.reasons import Reason
from gonogo.stimuli.extra import with_extra
from gonogo.stimuli.stimulus import Endpoint, NotPossible, Risk, Stimulus, Subject, canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.exchange import Exchange, Headers

Body = dict[str, object]

JSON_HEADERS = (("content-type", "application/json"),)
PROMPT = "Count from one to ten."
DEFAULT_TOKENS = 8
LEAST_OUTPUT_TOKENS = 16
"""The smallest limit that the schema of responses allows."""
_ASKED = [{"role": "user", "content": PROMPT}]
_OF_MESSAGES = (*JSON_HEADERS, ("anthropic-version", "2023-06-01"))


@dataclass(frozen=True, slots=True)
class Form:
    """The default request of an operation: its path, its content, and its token limit if it has one.

    `limit` is the name of the limit, `tokens` its default. `headers` are sent with every such request.
    """

    path: str
    asked: Body
    limit: str | None = None
    tokens: int = DEFAULT_TOKENS
    headers: Headers = field(default=JSON_HEADERS)


FORMS: Mapping[Endpoint, Form] = {
    Endpoint.CHAT: Form("/chat/completions", {"messages": _ASKED}, "max_tokens"),
    Endpoint.COMPLETIONS: Form("/completions", {"prompt": PROMPT}, "max_tokens"),
    Endpoint.EMBEDDINGS: Form("/embeddings", {"input": PROMPT}),
    Endpoint.RESPONSES: Form("/responses", {"input": PROMPT}, "max_output_tokens", LEAST_OUTPUT_TOKENS),
    Endpoint.RESPONSE_TOKENS: Form("/responses/input_tokens", {"input": PROMPT}),
    Endpoint.MESSAGES: Form("/messages", {"messages": _ASKED}, "max_tokens", headers=_OF_MESSAGES),
    Endpoint.MESSAGE_TOKENS: Form("/messages/count_tokens", {"messages": _ASKED}, headers=_OF_MESSAGES),
}
"""The operations that accept a body."""

PATHS: Mapping[Endpoint, str] = {endpoint: form.path for endpoint, form in FORMS.items()}
LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
"""The names of limits, in order of precedence."""


def post(
    endpoint: Endpoint,
    changes: Body,
    *,
    streamed: bool = False,
    without: tuple[str, ...] = (),
    valid: bool = True,
    risk: Risk | None = None,
    alone: bool = False,
) -> Stimulus:
    """A request with a body: the default one of its operation, updated with `changes`, without the fields `without`.

    A null in `changes` is sent as null. The key contains only the endpoint and the changes. Building one for embeddings
    raises NotPossible if no embedding model is known.
    """
    given = dict(changes, stream=True) if streamed and "stream" not in changes else dict(changes)
    template = {key: value for key, value in _defaults(endpoint, given).items() if key not in without}
    missing = "".join(f" without {name}" for name in without)
    form = FORMS[endpoint]
    generates = form.limit is not None

    def build(subject: Subject, _: Mapping[str, Exchange]) -> Request:
        body = dict(template)
        if body.get("model") is _SERVED:
            body["model"] = _served(endpoint, subject)
        if endpoint is Endpoint.CHAT:
            body = _limited(body, subject.limit)
        data = json.dumps(body, ensure_ascii=False).encode()
        return with_extra(Request("POST", form.path, form.headers, data), subject.extra)

    return Stimulus(
        key=f"{endpoint} {canonical(given)}{missing}",
        endpoint=endpoint,
        build=build,
        streamed=given.get("stream") is True,
        valid=valid,
        risk=_risk(template, valid=valid) if risk is None else risk,
        tokens=_worst_case(template) if generates else 0,
        choices=_choices(template) if generates else 1,
        alone=alone,
    )


def raw_post(
    endpoint: Endpoint, body: bytes, headers: tuple[tuple[str, str], ...] = JSON_HEADERS
) -> Stimulus:
    """A POST whose body is sent byte for byte, even if it is broken."""
    shown = body.decode("utf-8", "backslashreplace")
    head = "" if headers == JSON_HEADERS else f" {dict(headers)}"
    return _fixed(
        f"{endpoint} raw {shown}{head}",
        endpoint,
        lambda _: Request("POST", PATHS[endpoint], headers, body),
        valid=False,
        risk=Risk.HOSTILE,
    )


def list_models() -> Stimulus:
    """GET /models."""
    return _fixed(Endpoint.MODELS, Endpoint.MODELS, lambda _: Request("GET", "/models"))


def retrieve_model(model: str | None = None, *, encoded: bool = True) -> Stimulus:
    """GET /models/{model}: the served model, or the given id; "/" in it percent-encoded or not."""
    safe = "" if encoded else "/"
    form = "" if encoded else " as it is"
    return _fixed(
        f"{Endpoint.MODEL} {model or 'served'}{form}",
        Endpoint.MODEL,
        lambda subject: Request("GET", "/models/" + quote(model or subject.model, safe=safe)),
        valid=model is None,
        risk=Risk.HARMLESS if model is None else Risk.MILD,
    )


def bare(method: str, path: str) -> Stimulus:
    """A request without a body to any path, to see how the target refuses it."""
    return _fixed(
        f"{method} {path}", Endpoint.OTHER, lambda _: Request(method, path), valid=False, risk=Risk.MILD
    )


def _fixed(
    key: str,
    endpoint: Endpoint,
    make: Callable[[Subject], Request],
    *,
    valid: bool = True,
    risk: Risk = Risk.HARMLESS,
) -> Stimulus:
    return Stimulus(
        key=str(key),
        endpoint=endpoint,
        build=lambda subject, _: make(subject),
        valid=valid,
        risk=risk,
    )


_SERVED = object()


def _defaults(endpoint: Endpoint, changes: Body) -> Body:
    form = FORMS[endpoint]
    body: Body = {"model": _SERVED, **form.asked}
    if form.limit is not None and "max_completion_tokens" not in changes:
        body[form.limit] = form.tokens
    return body | changes


def _limited(body: Body, name: str) -> Body:
    """The body with a valid limit under this name, and under one name only."""
    limit = body.get("max_tokens")
    if "max_completion_tokens" in body or not isinstance(limit, int) or limit <= 0:
        return body
    return {name if key == "max_tokens" else key: value for key, value in body.items()}


def _served(endpoint: Endpoint, subject: Subject) -> str:
    if endpoint is not Endpoint.EMBEDDINGS:
        return subject.model
    if subject.embedding_model is None:
        raise NotPossible(Reason.NO_EMBEDDING_MODEL)
    return subject.embedding_model


def _risk(body: Body, *, valid: bool) -> Risk:
    """The risk; a list as prompt crashes mlx_lm.server for good (ml-explore/mlx-lm#1215)."""
    if isinstance(body.get("prompt"), list):
        return Risk.DEADLY
    return Risk.HARMLESS if valid else Risk.HOSTILE


def _worst_case(body: Body) -> int:
    limits = [body.get(name) for name in LIMITS]
    limit = next((value for value in limits if isinstance(value, int) and value > 0), DEFAULT_TOKENS)
    tried = body.get("best_of")
    return limit * max(_choices(body), tried if isinstance(tried, int) else 1)


def _choices(body: Body) -> int:
    """The number of requested choices: `n` of each prompt."""
    choices = body.get("n")
    prompts = body.get("prompt")
    many = len(prompts) if isinstance(prompts, list) and prompts and not isinstance(prompts[0], int) else 1
    return many * (choices if isinstance(choices, int) and choices > 0 else 1)
