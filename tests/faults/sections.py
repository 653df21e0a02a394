"""All sections of the catalogue together: the faults that rules must catch, and what no rule may mind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from faults.catalogue import (
    chat_request,
    chat_response,
    chat_stream,
    choices,
    clients,
    completion_response,
    completion_stream,
    event_streams,
    http_answers,
    keys,
    limits,
    logprobs,
    model_lists,
    prompts,
    refusals,
    sampling,
    stops,
    structured,
    text,
    tool_streams,
    tools,
    variations,
    vectors,
    writing,
)
from faults.harmless import answers, refusing, wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.fault import Fault
    from gonogo.evidence import Record

SECTIONS = (
    model_lists,
    chat_request,
    chat_response,
    chat_stream,
    completion_response,
    completion_stream,
    event_streams,
    refusals,
    limits,
    keys,
    http_answers,
    clients,
    stops,
    tools,
    tool_streams,
    structured,
    text,
    logprobs,
    choices,
    prompts,
    variations,
    vectors,
    sampling,
    writing,
)
FAULTS: Final[tuple[Fault, ...]] = tuple(fault for section in SECTIONS for fault in section.FAULTS)
HARMLESS: Final[tuple[tuple[str, Callable[[Record], Record]], ...]] = tuple(
    change
    for section in (answers, wire, refusing, *SECTIONS)
    for change in getattr(section, "HARMLESS", {}).items()
)
"""What a server may do that keeps the contract, by name; not every section of faults has some."""
