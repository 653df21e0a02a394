"""Messages as chat templates take them."""

from __future__ import annotations

import pytest
from gonogo_server.engine.prompts import plain_messages
from gonogo_server.errors import BadRequest


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Hi", "Hi"),
        (None, ""),
        ([], ""),
        ([{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}], "OneTwo"),
    ],
)
def test_content_becomes_text(content: object, text: str) -> None:
    assert plain_messages([{"role": "user", "content": content}]) == [{"role": "user", "content": text}]


def test_a_message_without_content_has_no_text() -> None:
    assert plain_messages([{"role": "assistant"}]) == [{"role": "assistant", "content": ""}]


def test_a_developer_is_the_system() -> None:
    assert plain_messages([{"role": "developer", "content": "x"}]) == [{"role": "system", "content": "x"}]


@pytest.mark.parametrize("content", [3, [{"type": "image_url", "image_url": {"url": "x"}}], ["bare"]])
def test_what_is_not_text_is_refused_with_its_place(content: object) -> None:
    with pytest.raises(BadRequest, match="text parts") as refused:
        plain_messages([{"role": "user", "content": "Hi"}, {"role": "user", "content": content}])
    assert refused.value.param == "messages.1.content"
