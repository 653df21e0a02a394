"""A stimulus: a request that rules want answered, known by a key, built when it is due.

Two rules that name the same stimulus share its one exchange. The key is what evidence files store, so that a
judge with newer rules still finds what an older run recorded.
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
    """When a stimulus is sent: all of one risk are answered before the next begins."""

    HARMLESS = 0
    MILD = 1  # wrong by its path or method alone, without a body; may go beside a sign of life
    HOSTILE = 2  # broken on purpose; the target must show a sign of life afterwards
    DEADLY = 3  # known to stop a server for good; sent last, the first of them by itself


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is asked: the ids that go into `model`. None if the target has no such model.

    `extra` holds fields that go into the body of every generation, for what a vendor wants said (thinking off).
    `limit` is the name under which chat takes a number of tokens, where one does as well as the other.
    `context_length` is how many tokens the model reads, where the user says so. `second_model` is the one of a second
    provider of a gateway, where its upstream is the suite's own.
    """

    model: str
    embedding_model: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    limit: str = "max_tokens"
    context_length: int | None = None
    second_model: str | None = None


class NotPossible(Exception):  # noqa: N818 - not an error: a precondition that did not hold
    """A stimulus cannot be built from what is known; `because` says why, and of which exchanges that speaks."""

    def __init__(self, reason: Reason, *exchanges: Exchange, **values: object) -> None:
        super().__init__(reason.value)
        self.because = Because(reason, values, tuple(exchange.id for exchange in exchanges))


@dataclass(frozen=True, slots=True)
class Likeness:
    """What the text of an answer is compared with: the text of another one, of the stimulus with the key `base`.

    `holds` tells, of the exchange of the base and of this one, whether the text is what that of the base lets one
    expect; it raises NotPossible if one of them has no text. A batch can change greedy text, so that a text that
    is not as expected tells something only where both were sent while nothing else was under way.
    """

    base: str
    holds: Callable[[Exchange, Exchange], bool]


@dataclass(frozen=True, eq=False)
class Stimulus:
    """A request to be sent once.

    `build` makes it from the subject and the exchanges of `needs` (by key); it raises NotPossible if those
    do not allow it. `valid` is whether the request keeps the contract, so that a server has no reason to refuse
    it but lack of the feature. `tokens` is the most it can make the target generate, `choices` how many choices
    the answer has. One that is `alone` is sent while no other generation is under way, because of what it does to the
    target. One that is `like` another is sent in parallel with the rest, and again by itself where its text is not
    what it is compared with; the base is like itself. One that is `of_endpoint` is about what stands before every
    model, keys and HTTP: where several models are requested, it is sent with one of them for all.
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
        """The same request once more, as an exchange of its own; `ordinal` counts from 2.

        Its text is compared with that of the first, where that is compared at all.
        """
        return replace(self, key=f"{self.key} #{ordinal}", needs=(*self.needs, self))


def canonical(value: object) -> str:
    """JSON text that is the same for equal values: the part of a key that tells bodies apart."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
