"""The answers of the plain server: whole, and as the events of a stream."""

from __future__ import annotations

import json
import random
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from independent.words import Said, count, say

if TYPE_CHECKING:
    from collections.abc import Iterator

BORN = 1_760_000_000


@dataclass
class Generation:
    """The choices of one request, in the two forms in which they are sent."""

    chat: bool
    body: dict[str, Any]
    prompts: list[str]

    def __post_init__(self) -> None:
        """Generate everything at once, which takes no time with a fixed vocabulary."""
        chance = random.Random(self.body.get("seed"))
        each = self.body.get("n", 1)
        self.choices = [say(prompt, self.body, chance) for prompt in self.prompts for _ in range(each)]
        kind = "chatcmpl" if self.chat else "cmpl"
        self.head = {
            "id": f"{kind}-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": self.body["model"],
        }

    @property
    def usage(self) -> dict[str, int]:
        """The tokens of all prompts and all choices."""
        asked, said = sum(map(count, self.prompts)), sum(choice.tokens for choice in self.choices)
        return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}

    def whole(self) -> dict[str, Any]:
        """The answer as one object."""
        choices = [
            self._choice(index, said.reason, **self._whole(said)) for index, said in enumerate(self.choices)
        ]
        name = "chat.completion" if self.chat else "text_completion"
        return self.head | {"object": name, "choices": choices, "usage": self.usage}

    def _whole(self, said: Said) -> dict[str, Any]:
        if not self.chat:
            return {"text": said.text}
        return {"message": {"role": "assistant", "content": said.text, "refusal": None}}

    def events(self) -> Iterator[str]:
        """The data of all events of the streamed answer."""
        name = "chat.completion.chunk" if self.chat else "text_completion"
        counted = (self.body.get("stream_options") or {}).get("include_usage", False)
        for index, said in enumerate(self.choices):
            for added, reason in self._steps(said):
                chunk = self.head | {"object": name, "choices": [self._choice(index, reason, **added)]}
                yield json.dumps(chunk | ({"usage": None} if counted else {}), ensure_ascii=False)
        if counted:
            yield json.dumps(self.head | {"object": name, "choices": [], "usage": self.usage})
        yield "[DONE]"

    def _steps(self, said: Said) -> Iterator[tuple[dict[str, Any], str | None]]:
        if not self.chat:
            yield from (({"text": piece}, None) for piece in said.pieces)
            yield {"text": ""}, said.reason
            return
        yield {"delta": {"role": "assistant", "content": ""}}, None
        yield from (({"delta": {"content": piece}}, None) for piece in said.pieces)
        yield {"delta": {}}, said.reason

    @staticmethod
    def _choice(index: int, reason: str | None, **added: object) -> dict[str, Any]:
        return {"index": index, **added, "logprobs": None, "finish_reason": reason}


def model(name: str) -> dict[str, Any]:
    """An entry of the list of models."""
    return {"id": name, "object": "model", "created": BORN, "owned_by": "nobody"}
