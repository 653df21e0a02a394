"""Surfaces other than chat: operations that a target may lack, which one request shows.

Each operation has a plain request, the one that a target has the least reason to refuse. Other requests to a surface
are sent only if the plain request did not show that the operation is missing, so that a missing surface costs one
request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gonogo.reasons import Reason
from gonogo.stimuli.bodies import post
from gonogo.stimuli.repeatable import like_chat
from gonogo.stimuli.stimulus import Endpoint, NotPossible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.stimulus import Stimulus, Subject

NO_SUCH_ROUTE = frozenset({404, 405, 501})
"""Statuses that mean that the target lacks the operation."""

GREEDY: Mapping[Endpoint, Body] = {
    Endpoint.RESPONSES: {"temperature": 0, "max_output_tokens": 24},
    Endpoint.MESSAGES: {"temperature": 0, "max_tokens": 24},
}
"""The parameters with which a surface's plain text should equal that of chat for the same prompt and limit."""

PLAIN: Mapping[Endpoint, Stimulus] = {
    Endpoint.CHAT: post(Endpoint.CHAT, {}),
    Endpoint.COMPLETIONS: post(Endpoint.COMPLETIONS, {}),
    Endpoint.EMBEDDINGS: post(Endpoint.EMBEDDINGS, {}),
    Endpoint.RESPONSE_TOKENS: post(Endpoint.RESPONSE_TOKENS, {}),
    Endpoint.MESSAGE_TOKENS: post(Endpoint.MESSAGE_TOKENS, {}),
    **{endpoint: like_chat(post(endpoint, body)) for endpoint, body in GREEDY.items()},
}
"""The plain request of each operation that a target may lack."""


@dataclass(frozen=True, slots=True)
class Surface:
    """An operation that generates, with related names.

    `noun` is the name of its answer in scenarios, with its article. `counting` is the operation that counts the tokens
    of its input, `counted` the name of that input in scenarios. `own_errors`: its errors have a different envelope.
    """

    endpoint: Endpoint
    noun: str
    counting: Endpoint
    counted: str
    own_errors: bool = False

    @property
    def operations(self) -> frozenset[Endpoint]:
        """Both operations."""
        return frozenset({self.endpoint, self.counting})


SURFACES = (
    Surface(Endpoint.RESPONSES, "a response", Endpoint.RESPONSE_TOKENS, "a response"),
    Surface(Endpoint.MESSAGES, "a message", Endpoint.MESSAGE_TOKENS, "a message", own_errors=True),
)
"""The surfaces other than chat, completions and embeddings."""

_SURFACE_OF = {endpoint: surface for surface in SURFACES for endpoint in surface.operations}
OWN_ERRORS = frozenset(endpoint for endpoint, surface in _SURFACE_OF.items() if surface.own_errors)
"""The operations whose errors have another envelope than that of chat."""

STORY = "Answer with a long story about a lighthouse."
"""A system prompt that changes the input and the text of the greedy request, and asks for more than its limit."""


def where_served(stimulus: Stimulus) -> Stimulus:
    """The same request, sent only if the plain request of its surface did not show that the operation is missing."""
    surface = _SURFACE_OF[stimulus.endpoint]
    plain = PLAIN[surface.endpoint]
    if stimulus.key == plain.key:
        return plain

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        expect_operation(answers[plain.key], surface.endpoint)
        return stimulus.build(subject, answers)

    needs = (plain, *(need for need in stimulus.needs if need.key != plain.key))
    return replace(_SHARED.get(stimulus.key, stimulus), build=build, needs=needs)


def expect_operation(plain: Exchange, endpoint: Endpoint) -> None:
    """Raise NotPossible if the answer to a plain request shows that the operation is missing."""
    if plain.status in NO_SUCH_ROUTE:
        raise NotPossible(Reason.NO_SUCH_OPERATION, plain, operation=endpoint.value, status=plain.status)


_STREAMS = {endpoint: like_chat(post(endpoint, body, streamed=True)) for endpoint, body in GREEDY.items()}
_SHARED = {stimulus.key: stimulus for stimulus in _STREAMS.values()}
"""Greedy streams by key, so that all requests for one get the stream that is compared with chat."""
STREAMS: Mapping[Endpoint, Stimulus] = {
    endpoint: where_served(stream) for endpoint, stream in _STREAMS.items()
}
"""The plain stream of each surface; greedy, too."""
