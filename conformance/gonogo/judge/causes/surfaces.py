"""Defects of responses and messages that break many rules: wrong stop reasons and missing fields."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import gonogo_contract

from gonogo.judge import messages, responses
from gonogo.judge.causes.diagnosis import Diagnosis, Sighting, among, broken
from gonogo.judge.outcome import Stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo.exchange import Exchange
    from gonogo.judge.causes.diagnosis import Look
    from gonogo.judge.causes.observations import Observations

MANY: Final = 4
"""The minimum number of fields that are missing together, or of answers with the same stop reason."""


def _bare(observed: Observations) -> Sighting | None:
    """Responses, complete or in the last event of a stream, lack most of their fields."""

    def lacks(exchange: Exchange) -> str | None:
        if exchange.request.operation != responses.PATH:
            return None
        try:
            found = responses.final(exchange)
        except Stop:
            return _without_response(exchange)
        missing = [name for name in _required() if name not in found]
        return f"a response lacks {', '.join(missing)}" if len(missing) >= MANY else None

    return among(observed.accepted, lacks)


def _required() -> Sequence[str]:
    """The fields that the contract requires of a response."""
    fields: Sequence[str] = gonogo_contract.document()["components"]["schemas"]["ResponseObject"]["required"]
    return fields


def _without_response(exchange: Exchange) -> str | None:
    try:
        last = responses.end(exchange)
    except Stop:
        return None
    return None if isinstance(last.value.get("response"), dict) else f"{last.type} has no response"


def _one_reason(observed: Observations) -> Sighting | None:
    """All messages have one stop reason, although the requests should produce several."""
    ended = {}
    for exchange in observed.accepted:
        if exchange.request.operation == messages.PATH:
            try:
                ended[exchange.id] = messages.stop_reason(exchange)
            except Stop:
                continue
    wrong = observed.broken(*OF_REASONS)
    if len(set(ended.values())) != 1 or len(ended) < MANY or len(wrong) < 2:
        return None
    reason = next(iter(ended.values()))
    return Sighting(f'all {len(ended)} messages end with the stop_reason "{reason}"', tuple(ended))


def _on_the_surface(look: Look) -> Look:
    """The same sighting, in every accepted exchange of the operation in which it is seen."""

    def widened(observed: Observations) -> Sighting | None:
        seen = look(observed)
        if seen is None:
            return None
        paths = {observed.exchanges[name].request.operation for name in seen.exchanges}
        more = [exchange.id for exchange in observed.accepted if exchange.request.operation in paths]
        return replace(seen, exchanges=tuple(dict.fromkeys([*seen.exchanges, *more])))

    return widened


OF_REASONS: Final = (
    "messages.limit.reason",
    "messages.stop.reason",
    "messages.stop.named",
    "messages.tools.reason",
    "messages.tools.stream_reason",
    "messages.tools.reason_alone",
    "messages.same.reason",
    "messages.response.stop_sequence_alone",
    "messages.stream.same_end",
)
"""Rules about the stop reason of a message."""

DIAGNOSES = (
    Diagnosis(
        "response-bare",
        "Responses lack most of their fields",
        "typed clients fail to decode the response, and the final response of openai-python is empty",
        (
            "responses.response.*",
            "responses.open.fields",
            "responses.usage.*",
            "responses.echo.*",
            "responses.items.*",
            "responses.limit.*",
            "responses.stream.output_sum",
            "responses.tools.streamed",
            "responses.stream.ended_fits",
            "responses.request.agent",
            "responses.same.*",
            "clients.*",
        ),
        _bare,
    ),
    Diagnosis(
        "stop-reason-constant",
        "Messages always end with the same stop_reason",
        "agents run no tool, and take a cut answer for a complete one",
        (*OF_REASONS, "clients.*"),
        _one_reason,
    ),
    Diagnosis(
        "cut-reported-complete",
        "An answer that its limit cut is reported as complete",
        "an agent takes a truncated answer for a finished one (jundot/omlx PR#2817, ollama/ollama PR#17239)",
        ("responses.limit.*", "responses.same.reason", "messages.limit.reason", "messages.same.reason"),
        _on_the_surface(broken("responses.limit.incomplete", "messages.limit.reason")),
    ),
)
