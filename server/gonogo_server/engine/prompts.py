"""OpenAI-shaped messages as chat templates take them: a role that templates know, and text."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class PlainMessage(TypedDict):
    """A message with nothing but text in it."""

    role: str
    content: str


def plain_messages(messages: Iterable[Mapping[str, object]]) -> list[PlainMessage]:
    """Each message with its text parts joined, `None` as no text, and role `developer` as `system`.

    Chat templates were written before role `developer` existed and mean the same by `system` (the OpenAI API
    reference treats `developer` as the later name). Raises `BadRequest` for content that is not text.
    """
    return [
        {"role": _role(message), "content": _text(message.get("content"), f"messages.{index}.content")}
        for index, message in enumerate(messages)
    ]


def _role(message: Mapping[str, object]) -> str:
    role = str(message["role"])
    return "system" if role == "developer" else role


def _text(content: object, param: str) -> str:
    match content:
        case None:
            return ""
        case str():
            return content
        case list():
            return _joined(content, param)
        case _:
            raise BadRequest("A message's content is a string or a list of text parts.", param=param)


def _joined(parts: Sequence[object], param: str) -> str:
    texts = []
    for part in parts:
        match part:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case _:
                raise BadRequest("Only text parts are understood here: leave the others out.", param=param)
    return "".join(texts)
