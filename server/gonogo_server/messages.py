"""The messages of a chat request as an engine takes them: a role and plain text. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from gonogo_server.engine.base import Message

ROLES = {"developer": "system"}


def plain_messages(messages: Sequence[BaseModel]) -> list[Message]:
    """Each message with its text parts joined, and role `developer` as `system`.

    Chat templates were written before role `developer` existed, and mean the same by `system`. Raises
    `BadRequest` for what an engine of texts cannot be told: images, tool calls, an answer to a call that was
    not made, an assistant's message that says nothing.
    """
    return [
        _plain(message.model_dump(by_alias=True), f"messages[{index}]")
        for index, message in enumerate(messages)
    ]


def _plain(message: Mapping[str, object], at: str) -> Message:
    if message.get("tool_calls"):
        raise BadRequest(
            "Tool calls in a conversation are not supported yet: leave them out.",
            param=f"{at}.tool_calls",
            code="unsupported_parameter",
        )
    role = str(message["role"])
    if role == "tool":
        # No message before it can have made the call, as calls are refused above.
        raise BadRequest(
            f"No assistant message before this one calls a tool with id '{message['tool_call_id']}'.",
            param=f"{at}.tool_call_id",
            code="invalid_value",
        )
    content = message.get("content")
    if content is None:
        content = message.get("refusal")
    if content is None:
        raise BadRequest(
            f"Missing required parameter: '{at}.content'; only a message with a refusal can do without.",
            param=f"{at}.content",
            code="missing_required_parameter",
        )
    plain: Message = {"role": ROLES.get(role, role), "content": _text(content, f"{at}.content")}
    if name := message.get("name"):
        plain["name"] = str(name)
    return plain


def _text(content: object, at: str) -> str:
    if isinstance(content, str):
        return content
    assert isinstance(content, list), "the model of the body admits no other type"
    return "".join(_part(part, f"{at}[{index}]") for index, part in enumerate(content))


def _part(part: Mapping[str, str], at: str) -> str:
    match part:
        case {"type": "text", "text": text} | {"type": "refusal", "refusal": text}:
            return text
        case _:
            raise BadRequest(
                f"The model reads text only: leave out the part of type '{part['type']}'.",
                param=f"{at}.type",
                code="unsupported_value",
            )
