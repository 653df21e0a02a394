"""Conversations that are too long for a scenario, or contain an image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.stimuli.bodies import PROMPT, post
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.stimulus import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange, Request
    from gonogo.stimuli.bodies import Body
    from gonogo.stimuli.stimulus import Stimulus, Subject

TURNS = 20
TOUCH_TOKENS = 2
HALF = rb"\ud83c"
"""The first surrogate of an emoji, as JSON escapes it."""

# A PNG of 64 by 64 pixels of one colour: vision models refuse images that are smaller than one of their tiles.
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAATklEQVR42u3PQQkAAAgEsIti1ItuBN/CYAWWaV+L"
    "gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgMBlAaMdAQ/kFX0GAAAAAElFTkSuQmCC"
)


def _turns() -> list[Body]:
    """Twenty questions from Ada with answers, and one more question."""
    turns: list[Body] = []
    for number in range(TURNS):
        turns += [
            {"role": "user", "name": "Ada", "content": f"Say {number}."},
            {"role": "assistant", "name": "Clerk", "content": str(number)},
        ]
    return [*turns, {"role": "user", "name": "Ada", "content": PROMPT}]


def _seen() -> list[Body]:
    parts = [{"type": "text", "text": PROMPT}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    return [{"role": "user", "content": parts}]


def _conversation(messages: list[Body], name: str) -> Stimulus:
    """A request whose key has a name instead of its messages."""
    asked = post(Endpoint.CHAT, {"messages": messages, "max_tokens": TOUCH_TOKENS})
    return replace(asked, key=f"{Endpoint.CHAT} with {name}")


def _halved() -> Stimulus:
    """A text with a lone surrogate, which JSON can escape and no Unicode encoding can represent."""
    content = "Count from one."
    plain = post(
        Endpoint.CHAT,
        {"messages": [{"role": "user", "content": content}], "max_tokens": TOUCH_TOKENS},
        valid=False,
    )

    def build(subject: Subject, answers: Mapping[str, Exchange]) -> Request:
        request = plain.build(subject, answers)
        cut = request.body.replace(content.encode(), content.encode() + HALF)
        return replace(request, body=cut)

    return replace(plain, key=f"{Endpoint.CHAT} with half a surrogate pair", build=build)


REQUESTS: dict[str, Stimulus] = {
    "a conversation of twenty turns between people with names is continued": _conversation(
        _turns(), "twenty turns between people with names"
    ),
    "a picture is sent with a text": _conversation(_seen(), "a picture and a text"),
    "a chat completion is wrongly requested with half a surrogate pair": _halved(),
}


def _register() -> None:
    for phrase, stimulus in REQUESTS.items():
        when.add(phrase, lambda stimulus=stimulus: Ask(stimulus))


_register()
