"""Faults of several choices: fewer than were asked for, mixed up, or not all counted."""

from __future__ import annotations

import json
from typing import Any

from faults.asking import first, last
from faults.editing import DONE, answer, changed, each, finishes, frames, has_choice, has_usage, made, put
from faults.fault import Fault, fault


def _index(frame: bytes) -> int | None:
    """The number of the choice that an event is about."""
    if frame == DONE:
        return None
    choices = json.loads(frame.removeprefix(b"data: "))["choices"]
    return choices[0]["index"] if choices else None


def _one_counted(value: Any) -> None:  # noqa: ANN401 - JSON
    usage = value["usage"]
    usage.update(completion_tokens=2, total_tokens=usage["prompt_tokens"] + 2)


def _is_second(value: Any) -> bool:  # noqa: ANN401 - JSON
    return has_choice(value) and value["choices"][0]["index"] == 1


def _no_role(value: Any) -> None:  # noqa: ANN401 - JSON
    value["choices"][0]["delta"].pop("role", None)


def _of(group: str, what: str, *breaks: str) -> tuple[Fault, ...]:
    whole, stream = first(f"choices.{group}.number"), first(f"choices.{group}.streamed")
    return (
        fault(
            f"n is ignored in {what}",
            "abetlen/llama-cpp-python#1906",
            f"choices.{group}.number",
            changed(whole, answer(made("choices", lambda old: old[:1]))),
        ),
        fault(
            f"n is ignored in streams of {what}",
            "InternLM/lmdeploy#4073",
            f"choices.{group}.streamed",
            changed(stream, frames(lambda old: [frame for frame in old if _index(frame) != 1])),
        ),
        fault(
            f"the second choice of {what} has the index 2 in streams",
            "a counter of sequences",
            {f"choices.{group}.streamed", *breaks},
            changed(stream, each(put("choices.0.index", 2), where=_is_second)),
        ),
        fault(
            f"the tokens of one choice of {what} are counted",
            "llama.cpp counts the last",
            f"choices.{group}.usage",
            changed(whole, answer(_one_counted)),
        ),
        fault(
            f"the tokens of one choice of streamed {what} are counted",
            "llama.cpp counts the last",
            f"choices.{group}.usage",
            changed(stream, each(_one_counted, where=has_usage)),
        ),
        fault(
            f"both choices of {what} have the index 0",
            "openai/openai-python#90, by analogy",
            f"{group}.response.indexes",
            changed(whole, answer(put("choices.*.index", 0))),
        ),
        fault(
            f"the second choice of streamed {what} never finishes",
            "a flag for the whole stream",
            f"{group}.stream.finish_once",
            changed(
                stream,
                each(put("choices.0.finish_reason", None), where=lambda v: _is_second(v) and finishes(v)),
            ),
        ),
    )


CHAT_STREAM = last("choices.chat.streamed")

FAULTS: tuple[Fault, ...] = (
    *_of("chat", "chat completions", "clients.openai_python.chat_stream"),
    *_of("completions", "completions"),
    fault(
        "only the first of two choices has a role",
        "a flag for the whole stream",
        "chat.stream.role_first",
        changed(CHAT_STREAM, each(_no_role, where=_is_second)),
    ),
)
