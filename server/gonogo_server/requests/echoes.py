"""Fields that clients add to an answer and send back in the conversation. No I/O.

The official Python client's helpers for structured outputs and streams (`parse`, `stream`) add these fields to the
answer, which is then appended to the messages unchanged. The OpenAI API accepts them for newer models and refused them
for older ones (openai/openai-node#1161). They repeat what the message already contains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_wire import ChatCompletionRequestAssistantMessage
from pydantic import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

OF_A_MESSAGE: Final = ("parsed",)
OF_A_CALL: Final = ("index",)
OF_A_FUNCTION: Final = ("parsed_arguments",)


def drop_echoes(messages: Sequence[BaseModel]) -> None:
    """Remove these fields from the assistant's messages, in place."""
    for message in messages:
        if isinstance(message, ChatCompletionRequestAssistantMessage):
            _drop(message, OF_A_MESSAGE)
            for call in () if message.tool_calls in (MISSING, None) else message.tool_calls:
                _drop(call, OF_A_CALL)
                _drop(call.function, OF_A_FUNCTION)


def _drop(value: BaseModel, names: Sequence[str]) -> None:
    extra: Mapping[str, object] = value.model_extra or {}
    for name in extra.keys() & set(names):
        delattr(value, name)
