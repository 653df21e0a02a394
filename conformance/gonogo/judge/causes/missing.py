"""Maps the reasons of undecided rules to the rules about the missing field itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.judge.causes.observations import fits
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.verdict import Because

_FINISH = (
    *("*.finish_once", "*.finish_reason", "*.stop_reason", "*.choices", "*.index"),
    *("responses.response.state", "responses.response.state_known", "responses.response.details"),
)
_USAGE = (
    "*.usage",
    "*.usage_schema",
    "*.usage_prompt",
    "*.usage_completion",
    "messages.usage.*",
    "responses.usage.*",
)
_TEXT = (
    *("*.message", "*.content", "*.delta", "*.response.text", "*.stream.text"),
    *("messages.response.blocks", "messages.stream.block_kind", "messages.stream.block_open"),
    *("messages.stream.index", "responses.items.type", "responses.message.part"),
    *("responses.message.part_text", "responses.stream.output_sum"),
)

SAID_BY: Final[Mapping[Reason, tuple[str, ...]]] = {
    Reason.EVENT_LOST: ("stream.json", "stream.complete_events", "stream.fields"),
    Reason.NO_FINISH_REASON: _FINISH,
    Reason.NO_USAGE: _USAGE,
    Reason.NO_COUNT: _USAGE,
    Reason.NO_TEXT: _TEXT,
    Reason.ALL_REASONING: ("messages.response.has_text",),
    Reason.NOT_REPEATED: (
        *("text.same", "messages.stream.adds_up", "responses.same.streamed"),
        "messages.stream.stops",
        *_TEXT,
    ),
    Reason.CHAT_REASONS_DIFFER: ("text.same_reason", "*.length"),
    Reason.ERROR_FRAME: ("messages.stream.error_event", "messages.stream.no_error"),
    Reason.BROKEN_OFF: ("messages.stream.ends", "responses.stream.released"),
    Reason.NO_END: ("messages.stream.stops", "responses.stream.ended"),
    Reason.NO_MESSAGE: ("*.message",),
    Reason.NO_DELTA: ("*.delta",),
    Reason.NO_CHOICES: ("*.choices", "*.one_choice", "*.stream.events"),
    Reason.NO_CHUNKS: ("stream.json", "*.stream.events"),
    Reason.NO_EVENTS: ("*.stream.events",),
    Reason.NO_INDEXED_CHOICE: ("*.choices", "*.index"),
    Reason.NOT_NUMBERED: ("*.index", "*.indexes"),
    Reason.NO_LIST: ("models.list.there",),
    Reason.NOT_JSON: ("*.json", "*.content_type"),
    Reason.NOT_AN_OBJECT: ("*.json",),
}
"""Patterns of the rules that report the same missing field, by the reason of an undecided rule."""

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "content": _TEXT,
    "text": _TEXT,
    "arguments": ("tools.*.schema", "tools.*.arguments"),
    "tool_calls": ("*.message", "tools.call.schema"),
    "prompt_tokens": _USAGE,
    "completion_tokens": _USAGE,
    "total_tokens": _USAGE,
}
"""The same for an invalid field, if the ids of the rules about it do not end with its name."""


def says_so(rule_id: str, because: Because) -> bool:
    """Whether a broken rule with this id already reports the reason for which another one is undecided."""
    if because.reason is not Reason.FIELD_NOT:
        return fits(rule_id, SAID_BY.get(because.reason, ()))
    name = str(because.values.get("field")).rpartition(".")[2].removesuffix("[]")
    return fits(rule_id, FIELDS.get(name, (f"*.{name}",)))
