"""The checks on answers to generated requests for responses, messages and counts.

Each check is that of a must rule of the surface; open servers support the other parts of these objects only partly.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from gonogo.judge.checks import (
    framing,
    message_answers,
    named_events,
    response_streams,
    responses,
    schema,
)
from gonogo.stimuli.stimulus import Endpoint
from gonogo.stimuli.surfaces import NO_SUCH_ROUTE, SURFACES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

    Look = Callable[[Exchange], Outcome]

PATHS: Final = frozenset(
    endpoint.value.partition(" ")[2] for surface in SURFACES for endpoint in surface.operations
)
"""The paths that are missing on many targets."""

ANSWERS: Final[Mapping[str, tuple[Look, ...]]] = {
    Endpoint.RESPONSES: (
        *(partial(responses.field_fits, field=name) for name in ("id", "object", "created_at", "model")),
        partial(responses.field_itself_fits, field="output"),
        responses.items_typed,
        responses.messages_fit,
    ),
    Endpoint.MESSAGES: (
        *(
            partial(schema.answer_field_fits, field=name, component="Message")
            for name in ("id", "type", "role", "model", "usage")
        ),
        partial(schema.answer_field_fits_apart, field="content", others=["content[]"], component="Message"),
        message_answers.blocks_fit,
    ),
    Endpoint.RESPONSE_TOKENS: (
        partial(schema.answer_field_fits, field="input_tokens", component="ResponseInputTokens"),
    ),
    Endpoint.MESSAGE_TOKENS: (
        partial(schema.answer_field_fits, field="input_tokens", component="MessageTokenCount"),
    ),
}
"""The checks on complete answers, by operation."""

STREAMS: Final[Mapping[str, tuple[Look, ...]]] = {
    Endpoint.RESPONSES: (
        framing.is_event_stream,
        response_streams.carries_events,
        named_events.has_type,
        partial(named_events.no_slip, kinds="missing-end"),
        partial(named_events.no_slip, kinds="event-after-end"),
    ),
    Endpoint.MESSAGES: (
        framing.is_event_stream,
        named_events.has_type,
        named_events.named_by_type,
        partial(named_events.no_slip, kinds="late-start"),
        partial(named_events.no_slip, kinds="missing-message-stop"),
        partial(named_events.no_slip, kinds="late-event"),
    ),
}
"""The checks on streams, by operation."""


def says_missing(statuses: Collection[int | None]) -> bool:
    """Whether answers with these statuses, of which there is at least one, show that the operation is missing."""
    return bool(statuses) and NO_SUCH_ROUTE.issuperset(statuses)
