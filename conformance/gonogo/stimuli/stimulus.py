"""A stimulus: a request that rules need, identified by a key, and built when it is due.

Two rules with the same stimulus share one exchange. Evidence files store the key, so that a judge with newer rules
still finds what an older run recorded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from gonogo.verdict import Because

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.reasons import Reason


class Endpoint(StrEnum):
    """The operations of the contract, and OTHER for requests that belong to none."""

    MODELS = "GET /models"
    MODEL = "GET /models/{model}"
    CHAT = "POST /chat/completions"
    COMPLETIONS = "POST /completions"
    EMBEDDINGS = "POST /embeddings"
    RESPONSES = "POST /responses"
    RESPONSE_TOKENS = "POST /responses/input_tokens"
    MESSAGES = "POST /messages"
    MESSAGE_TOKENS = "POST /messages/count_tokens"
    OTHER = "other"


class Risk(IntEnum):
    """The order of stimuli: all of one risk are answered before the next begins."""

    HARMLESS = 0
    MILD = 1  # only its path or method is wrong, without a body; may be sent in parallel with a sign of life
    HOSTILE = 2  # broken on purpose; the target must show a sign of life afterwards
    DEADLY = 3  # known to crash a server for good; sent last, the first of them alone


@dataclass(frozen=True, slots=True)
class Subject:
    """The values for `model` in requests; None if the target has no such model.

    `extra` holds vendor fields for the body of every generation (such as thinking off). `limit` is the name of chat's
    token limit, if the target accepts either. `context_length` is the model's context in tokens, if the user gives it.
    `second_model` is the model of a gateway's second provider, if the suite is its upstream.
    """

    model: str
    embedding_model: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    limit: str = "max_tokens"
    context_length: int | None = None
    second_model: str | None = None


class NotPossible(Exception):  # noqa: N818 - not an error: a precondition that did not hold
    """A stimulus cannot be built from earlier answers; `because` has the reason and the exchanges concerned."""

    def __init__(self, reason: Reason, *exchanges: Exchange, **values: object) -> None:
        super().__init__(reason.value)
        self.because = Because(reason, values, tuple(exchange.id for exchange in exchanges))


@dataclass(frozen=True, slots=True)
class Likeness:
    """The text with which an answer's text is compared: that of the stimulus with the key `base`.

    `holds` takes the exchange of the base and this one, and returns whether the texts agree as expected; it raises
    NotPossible if one of them has no text. Batching can change greedy text, so a difference counts only if both were
    sent while nothing else was running.
    """

    base: str
    holds: Callable[[Exchange, Exchange], bool]


@dataclass(frozen=True, eq=False)
class Stimulus:
    """A request to be sent once.

    `build` makes it from the subject and the exchanges of `needs` (by key), or raises NotPossible. `valid`: the request
    matches the contract, so that a server may refuse it only because it lacks the feature. `tokens` is the maximum that
    it can generate, `choices` the number of choices in the answer. `alone`: it is sent while no other generation is
    running, because of its effect on the target. With `like`, it is sent in parallel with the rest, and again alone if
    its text differs from the expected one; the base of a comparison is like itself. `of_endpoint`: it concerns what is
    independent of the model, such as keys and HTTP, so that several models share it.
    """

    key: str
    endpoint: Endpoint
    build: Callable[[Subject, Mapping[str, Exchange]], Request]
    streamed: bool = False
    valid: bool = True
    risk: Risk = Risk.HARMLESS
    tokens: int = 0
    choices: int = 1
    needs: tuple[Stimulus, ...] = ()
    alone: bool = False
    like: Likeness | None = None
    of_endpoint: bool = False

    def repeated(self, ordinal: int) -> Stimulus:
        """The same request once more, as a separate exchange; `ordinal` counts from 2.

        Its text is compared with that of the first, if that is compared at all.
        """
        return replace(self, key=f"{self.key} #{ordinal}", needs=(*self.needs, self))


def canonical(value: object) -> str:
    """JSON text that is the same for equal values: the part of a key that distinguishes bodies."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
