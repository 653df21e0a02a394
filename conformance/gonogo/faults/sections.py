"""All sections of the fault catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.faults.catalogue import (
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
    message_answers,
    message_requests,
    message_streams,
    message_tools,
    model_lists,
    prompts,
    refusals,
    response_requests,
    response_streams,
    responses,
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

if TYPE_CHECKING:
    from gonogo.faults.fault import Fault

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
    responses,
    response_requests,
    response_streams,
    message_answers,
    message_streams,
    message_tools,
    message_requests,
)
FAULTS: Final[tuple[Fault, ...]] = tuple(fault for section in SECTIONS for fault in section.FAULTS)
