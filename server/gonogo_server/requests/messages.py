"""Chat messages for an engine: a role and plain text. No I/O.

Tool calls and their results are passed unchanged to a template that supports them, and written as text for one that
does not (see `gonogo_server.tools.text`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonogo_server.errors import BadRequest
from gonogo_server.tools.text import calling_text, result_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import BaseModel

    from gonogo_server.engine.base import Message

ROLES = {"developer": "system"}


def plain_messages(messages: Sequence[BaseModel], *, knows_tools: bool = False) -> list[Message]:
    """Each message with its text parts joined, and role `developer` as `system`.

    Chat templates are older than role `developer`; their `system` means the same. `knows_tools`: the model's template
    renders calls and results. Otherwise consecutive results and the user's next message become one user message,
    because many templates require alternating roles.

    Arguments of a call in the conversation that are not a JSON object stay unchanged text: the API returns what a model
    wrote, and accepts it back. Raises `BadRequest` for images, for a result of a call that no earlier message made, and
    for an assistant's message without content.
    """
    documents = [message.model_dump(by_alias=True) for message in messages]
    plain = [_plain(document, f"messages[{index}]") for index, document in enumerate(documents)]
    called = _called(documents)
    if knows_tools:
        return [_with_tools(*pair, called) for pair in zip(plain, documents, strict=True)]
    return _turns(_without_tools(*pair, called) for pair in zip(plain, documents, strict=True))


def with_instruction(messages: Sequence[Message], instruction: str) -> list[Message]:
    """The messages with `instruction` (perhaps "") at the end of the system message, or as the system message."""
    if not instruction:
        return list(messages)
    if messages and messages[0]["role"] == "system":
        told: Message = {**messages[0], "content": f"{messages[0]['content']}\n\n{instruction}"}
        return [told, *messages[1:]]
    return [{"role": "system", "content": instruction}, *messages]


def without_system(messages: Sequence[Message]) -> list[Message]:
    """The messages with the system message moved to the start of the first user message, for templates without one."""
    first, *rest = messages
    if first["role"] != "system" or not rest or rest[0]["role"] != "user":
        return list(messages)
    return [{**rest[0], "content": f"{first['content']}\n\n{rest[0]['content']}"}, *rest[1:]]


def _called(documents: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The function of each call, by the call's id. Raises `BadRequest` for a result without an earlier call."""
    called: dict[str, str] = {}
    for index, document in enumerate(documents):
        if document["role"] == "tool" and document["tool_call_id"] not in called:
            raise BadRequest(
                f"No earlier assistant message has a tool call with the id '{document['tool_call_id']}'.",
                param=f"messages[{index}].tool_call_id",
                code="invalid_value",
            )
        called |= {call["id"]: call["function"]["name"] for call in document.get("tool_calls") or ()}
    return called


def _plain(message: Mapping[str, Any], at: str) -> Message:
    content = message.get("content")
    if content is None:
        content = message.get("refusal")
    if content is None and not message.get("tool_calls"):
        raise BadRequest(
            (
                f"Missing required parameter: '{at}.content'; it is optional only in a message with tool "
                "calls or a refusal."
            ),
            param=f"{at}.content",
            code="missing_required_parameter",
        )
    role = message["role"]
    text = "" if content is None else _text(content, f"{at}.content")
    plain: Message = {"role": ROLES.get(role, role), "content": text}
    # The function's name is known from the call.
    if role != "tool" and (name := message.get("name")):
        plain["name"] = name
    # The name of the member in this server's answers.
    reasoning = message.get("reasoning_content")
    if role == "assistant" and reasoning:
        plain["reasoning_content"] = reasoning
    return plain


def _with_tools(plain: Message, document: Mapping[str, Any], called: Mapping[str, str]) -> Message:
    if calls := document.get("tool_calls"):
        return {**plain, "tool_calls": [_with_object(call) for call in calls]}
    if plain["role"] == "tool":
        call_id = document["tool_call_id"]
        return {**plain, "tool_call_id": call_id, "name": called[call_id]}
    return plain


def _with_object(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call["function"]
    try:
        arguments = json.loads(function["arguments"] or "{}")
    except ValueError:
        return dict(call)
    return (
        {**call, "function": {**function, "arguments": arguments}}
        if isinstance(arguments, dict)
        else dict(call)
    )


def _without_tools(plain: Message, document: Mapping[str, Any], called: Mapping[str, str]) -> Message:
    if calls := document.get("tool_calls"):
        said = calling_text(plain["content"], (call["function"] for call in calls))
        return {**plain, "content": said}
    if plain["role"] == "tool":
        return {**plain, "content": result_text(called[document["tool_call_id"]], plain["content"])}
    return plain


def _turns(messages: Iterator[Message]) -> list[Message]:
    turns: list[tuple[Message, list[str]]] = []
    after_result = False
    for message in messages:
        is_result = message["role"] == "tool"
        if after_result and message["role"] in ("tool", "user"):
            turns[-1][1].append(message["content"])
        else:
            turns.append(({**message, "role": "user"} if is_result else message, [message["content"]]))
        after_result = is_result
    return [{**message, "content": "\n".join(said)} for message, said in turns]


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
                f"The model supports only text: remove the part of type '{part['type']}'.",
                param=f"{at}.type",
                code="unsupported_value",
            )
