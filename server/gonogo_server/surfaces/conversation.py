"""Builds a chat conversation message by message, and tracks the source of each message. No I/O."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

BREAK: Final = "\n\n"
"""Between what stood in two messages, and is in one now."""

Part: TypeAlias = dict[str, Any]
"""A part of the content of a message, as chat has it."""


def text_part(text: str) -> Part:
    """A text next to images."""
    return {"type": "text", "text": text}


def image_part(url: str, detail: str | None = None) -> Part:
    """An image by its URL, which may be a `data:` URL."""
    return {"type": "image_url", "image_url": {"url": url} | ({} if detail is None else {"detail": detail})}


class Conversation:
    """Takes messages in the order of a request; `names` says where each message of `messages()` came from.

    What the developer says is one message at the beginning, wherever it stood: templates take it nowhere else.
    `images` says whether content may have image parts.
    """

    def __init__(self, *, images: bool = False) -> None:
        self.images = images
        self._told: list[str] = []
        self._told_at = ""
        self._messages: list[dict[str, Any]] = []
        self._places: list[str] = []
        # Joined once, as joining each with what stands before takes the square of the time.
        self._merged: list[str] = []
        self._thoughts: list[str] = []

    def tell(self, text: str, at: str) -> None:
        """The developer says it."""
        if text:
            self._told.append(text)
            self._told_at = self._told_at or at

    def say(self, role: str, content: str | list[Part], at: str) -> None:
        """A user or the assistant says it; what was thought before goes with the latter."""
        self._add({"role": role, "content": content}, at)

    def merge(self, role: str, text: str, at: str) -> None:
        """The same, in one message with what they said directly before."""
        last = self._messages[-1] if self._messages else None
        if last is None or last["role"] != role or "tool_calls" in last or self._thoughts:
            self.say(role, text, at)
        elif isinstance(last["content"], list):
            last["content"].append(text_part(text))
        else:
            self._merged = self._merged or [last["content"]]
            self._merged.append(text)

    def think(self, text: str) -> None:
        """What the assistant thought before what it says or calls next."""
        if text:
            self._thoughts.append(text)

    def call(self, call_id: str, name: str, arguments: str, at: str) -> None:
        """The assistant calls a function, in the message that it has just said, or in one without a text."""
        if self._thoughts or not self._messages or self._messages[-1]["role"] != "assistant":
            self._add({"role": "assistant", "content": None}, at)
        calls = self._messages[-1].setdefault("tool_calls", [])
        function = {"name": name, "arguments": arguments}
        calls.append({"id": call_id, "type": "function", "function": function})

    def result(self, call_id: str, content: str, at: str) -> None:
        """What a function gave; `at` is the name of the field with the id of the call."""
        self._add({"role": "tool", "tool_call_id": call_id, "content": content}, at)

    def messages(self) -> list[dict[str, Any]]:
        """The messages for chat, perhaps none."""
        self._join()
        told = [{"role": "system", "content": BREAK.join(self._told)}] if self._told else []
        return [*told, *self._messages]

    def names(self) -> dict[str, str]:
        """The place of each message in the request, by the name that it has in chat."""
        places = [*([self._told_at] if self._told else []), *self._places]
        messages = self.messages()
        return {
            f"messages[{index}]" + (".tool_call_id" if messages[index]["role"] == "tool" else ""): place
            for index, place in enumerate(places)
        }

    def _add(self, message: dict[str, Any], at: str) -> None:
        self._join()
        if self._thoughts:
            if message["role"] != "assistant":  # an answer that was cut before it said anything
                self._add({"role": "assistant", "content": ""}, at)
            else:
                message["reasoning_content"], self._thoughts = BREAK.join(self._thoughts), []
        self._messages.append(message)
        self._places.append(at)

    def _join(self) -> None:
        """Join what was merged into the last message."""
        if self._merged:
            self._messages[-1]["content"], self._merged = BREAK.join(filter(None, self._merged)), []
