"""The features that a generated request uses, which a server may lack."""

from __future__ import annotations

import pytest
from gonogo.judge.features import features

CHAT = "CreateChatCompletionRequest"


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"service_tier": "fast"}, {"service_tier=fast"}),
        ({"service_tier": "auto"}, {"service_tier=auto"}),
        ({"n": 2, "stream": True}, {"n=2", "stream=True"}),
        ({"temperature": 0.5}, {"temperature: number"}),
        ({"temperature": 1}, {"temperature=1"}),
        ({"stop": ["a"], "seed": None}, {"stop: list"}),
        ({"stop": "a"}, {"stop: str"}),
        ({"tool_choice": {"type": "function"}}, {"tool_choice: dict"}),
        ({"response_format": {"type": "text"}}, {"response_format.type: str"}),
        ({"messages": [], "model": "a"}, {"model: str"}),
    ],
)
def test_a_feature_is_a_kind_of_value_or_one_of_a_few_values(
    body: dict[str, object], asked: set[str]
) -> None:
    assert features(body, CHAT) == asked
