"""Requests beyond limits: too many tokens, prompts longer than the context, invalid UTF-8."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.reasons import Reason
from gonogo.stimuli.bodies import PROMPT, list_models, post
from gonogo.stimuli.observed import context_length, stated_length
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.stimulus import Endpoint, NotPossible, Risk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.stimulus import Stimulus, Subject

HUGE = 100_000_000
"""Tokens: more than any context has."""

_STOPS = (" ", "a", "e", "o")  # the first characters of any answer to the default prompt include one of them
_ENOUGH = 4096  # bytes of a stream after which it is closed
_SHORTEST_CHUNK = 64  # bytes of an event with a token; real ones have at least twice as many

LONGEST_CONTEXT = 8192
"""Tokens. A longer context is not filled, because a server that accepts the prompt would read it for minutes."""

_WORDS = ("one", "two", "six", "ten")
_NOT_UTF_8 = "你好".encode("gbk") + b"\xff"


@when.phrase("a chat completion is streamed with a token limit beyond every context")
def _huge_limit() -> Ask:
    return Ask(huge_limit())


def huge_limit() -> Stimulus:
    """A token limit beyond every context.

    The stop sequences bound the generated tokens; if a target ignores them, closing the connection does.

    It is sent alone and late, so that no other request waits for a target that continues anyway.
    """
    body: dict[str, object] = {"max_tokens": HUGE, "stop": list(_STOPS)}
    plain = post(Endpoint.CHAT, body, streamed=True, valid=False, risk=Risk.DEADLY, alone=True)

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        return replace(plain.build(subject, answers), enough=_ENOUGH)

    return replace(plain, build=build, tokens=_ENOUGH // _SHORTEST_CHUNK)


@when.phrase("a chat completion is requested with bytes that are not UTF-8")
def _not_utf_8() -> Ask:
    """A body with such bytes, which crashed llama.cpp's server (ggml-org/llama.cpp#6396)."""
    plain = post(Endpoint.CHAT, {"max_tokens": 1}, valid=False, risk=Risk.DEADLY)

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        request = plain.build(subject, answers)
        return replace(request, body=request.body.replace(PROMPT.encode(), _NOT_UTF_8))

    return Ask(replace(plain, key=f"{Endpoint.CHAT} with bytes that are not UTF-8", build=build))


@when.phrase("a chat completion is requested with more words than the listed context has tokens")
def _overlong() -> Ask:
    return Ask(overlong())


def overlong() -> Stimulus:
    """A prompt of a quarter more words than the model's context has tokens.

    The length of the context comes from the user, or else from the list of models, or else from the refusal of an
    enormous token limit.

    A word is at least one token in every tokenizer: the order is random, so that no two are merged. Building it raises
    NotPossible if the length is unknown or exceeds LONGEST_CONTEXT.
    """
    models, huge = list_models(), huge_limit()
    plain = post(Endpoint.CHAT, {"max_tokens": 1}, valid=False, risk=Risk.DEADLY, alone=True)

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        length = subject.context_length or _length(answers[models.key], answers[huge.key], subject.model)
        if length > LONGEST_CONTEXT:
            raise NotPossible(
                Reason.CONTEXT_TOO_LONG, answers[models.key], length=length, most=LONGEST_CONTEXT
            )
        words = random.Random(length).choices(_WORDS, k=length + length // 4)  # noqa: S311 - no secret
        request = plain.build(subject, answers)
        body = json.loads(request.body) | {"messages": [{"role": "user", "content": " ".join(words)}]}
        return replace(request, body=json.dumps(body).encode())

    key = f"{Endpoint.CHAT} with more words than the context has tokens"
    return replace(plain, key=key, build=build, needs=(models, huge))


def _length(listing: Exchange, refusal: Exchange, model: str) -> int:
    try:
        return context_length(listing, model)
    except NotPossible:
        stated = stated_length(refusal, HUGE)
        if stated is None:
            raise
        return stated
