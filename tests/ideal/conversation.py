"""The contract's rules for conversations beyond the schema, and the prompt for a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ideal.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator


PICTURE = "▦" * 16


def expect_admissible(messages: list[dict[str, Any]]) -> None:
    """Raise Refusal if a message breaks a rule for its kind."""
    called: set[str] = set()
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        if message["role"] == "assistant":
            if message.get("content") is None and not (message.get("tool_calls") or message.get("refusal")):
                raise Refusal("An assistant's message has content or calls.", param=f"{where}.content")
            called |= {call["id"] for call in (message.get("tool_calls") or ())}
        elif message["role"] == "tool" and message["tool_call_id"] not in called:
            raise Refusal("No call has this id.", param=f"{where}.tool_call_id", code="invalid_value")


def rendered(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """The prompt: a line for each message, and the tools before them."""
    lines = [f"tool: {tool['function']['name']}\n" for tool in tools]
    lines += [f"{message['role']}: {''.join(_texts(message))}\n" for message in messages]
    return "".join(lines) + "assistant: "


def last_words(messages: list[dict[str, Any]]) -> str:
    """The user's text if it is the last message; otherwise ""."""
    return "".join(_texts(messages[-1])) if messages[-1]["role"] == "user" else ""


def _picture(url: str) -> str:
    """The model's view of an image: the same number of tokens for each. Nothing is fetched."""
    if not url.startswith("data:image/"):
        raise Refusal(
            "The model reads images of data: URLs only.", param="messages", code="unsupported_value"
        )
    return PICTURE


def _texts(message: dict[str, Any]) -> Iterator[str]:
    content = message.get("content") or ""
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        if part["type"] == "image_url":
            yield _picture(part["image_url"]["url"])
        yield part.get("text") or part.get("refusal") or ""
    for call in message.get("tool_calls") or ():
        yield f"{call['function']['name']}({call['function']['arguments']})"
