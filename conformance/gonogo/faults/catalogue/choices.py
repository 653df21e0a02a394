"""Faults of several choices: too few, mixed up, or not all counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonogo.faults.editing import (
    DONE,
    answer,
    both,
    changed,
    each,
    event,
    finishes,
    frames,
    has_choice,
    has_usage,
    made,
    put,
    refused,
)
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import either
from gonogo.faults.rule_picks import first, last

if TYPE_CHECKING:
    from gonogo.faults.editing import Change, Edit


def _index(frame: bytes) -> int | None:
    """The index of the choice of an event."""
    if frame == DONE:
        return None
    choices = json.loads(frame.removeprefix(b"data: "))["choices"]
    return choices[0]["index"] if choices else None


def _one_counted(value: Any) -> None:  # noqa: ANN401 - JSON
    usage = value["usage"]
    usage.update(completion_tokens=4, total_tokens=usage["prompt_tokens"] + 4)


def _counted_twice(value: Any) -> None:  # noqa: ANN401 - JSON
    usage = value["usage"]
    usage.update(completion_tokens=16, total_tokens=usage["prompt_tokens"] + 16)


def _is_second(value: Any) -> bool:  # noqa: ANN401 - JSON
    return has_choice(value) and value["choices"][0]["index"] == 1


def _empty(choice: Any) -> None:  # noqa: ANN401 - JSON
    holder, name = (choice, "text")
    for inner in {"message", "delta"} & choice.keys():
        holder, name = choice[inner], "content"
    if holder.get(name):
        holder[name] = ""


def _emptied(value: Any) -> None:  # noqa: ANN401 - JSON
    _empty(value["choices"][1])


def _no_role(value: Any) -> None:  # noqa: ANN401 - JSON
    value["choices"][0]["delta"].pop("role", None)


def _second_unfinished(value: Any) -> bool:  # noqa: ANN401 - JSON
    return _is_second(value) and finishes(value)


# The faults of each operation with choices, in complete answers and in streams. {what} stands for the answers, {group}
# for the operation in the ids of rules.
_WHOLE: tuple[tuple[str, str, str, Edit], ...] = (
    ("the second of two choices is empty in {what}", "one sampler for all rows of a batch", "choices.{group}.text",
     answer(_emptied)),
    ("n is ignored in {what}", "abetlen/llama-cpp-python#1906", "choices.{group}.number",
     answer(made("choices", lambda old: old[:1]))),
    ("the tokens of one choice of {what} are counted", "llama.cpp counts the last", "choices.{group}.usage",
     answer(_one_counted)),
    ("the tokens of all choices of {what} are counted for each", "a sum that is added up once for each choice",
     "choices.{group}.usage", answer(_counted_twice)),
    ("both choices of {what} have the index 0", "openai/openai-python#90, by analogy", "{group}.response.indexes",
     answer(put("choices.*.index", 0))),
)  # fmt: skip
_STREAMED: tuple[tuple[str, str, str, Edit], ...] = (
    ("the second of two choices is empty in a stream of {what}", "all pieces under the first index",
     "choices.{group}.streamed_text", each(lambda value: _empty(value["choices"][0]), where=_is_second)),
    ("n is ignored in streams of {what}", "InternLM/lmdeploy#4073", "choices.{group}.streamed",
     frames(lambda old: [frame for frame in old if _index(frame) != 1])),
    ("the tokens of one choice of streamed {what} are counted", "llama.cpp counts the last", "choices.{group}.usage",
     each(_one_counted, where=has_usage)),
    ("the tokens of all choices of streamed {what} are counted for each",
     "a sum that is added up once for each choice", "choices.{group}.usage", each(_counted_twice, where=has_usage)),
    ("the second choice of streamed {what} never finishes", "a flag for the whole stream",
     "{group}.stream.finish_once", each(put("choices.0.finish_reason", None), where=_second_unfinished)),
)  # fmt: skip


def _of(group: str, what: str, *breaks: str) -> tuple[Fault, ...]:
    whole, stream = first(f"choices.{group}.number"), first(f"choices.{group}.streamed")
    return (
        *(
            fault(name.format(what=what), by, rule.format(group=group), changed(pick, edit))
            for pick, rows in ((whole, _WHOLE), (stream, _STREAMED))
            for name, by, rule, edit in rows
        ),
        fault(
            f"the second choice of {what} has the index 2 in streams",
            "a counter of sequences",
            {f"choices.{group}.streamed", *breaks},
            changed(stream, each(put("choices.0.index", 2), where=_is_second)),
        ),
    )


CHAT_STREAM = last("choices.chat.streamed")
CALLS = last("choices.chat.calls")


def _one_calls(value: Any) -> None:  # noqa: ANN401 - JSON
    """The second choice has prose instead of its call."""
    value["choices"][1].update(
        message={"role": "assistant", "content": "Hello!", "refusal": None}, finish_reason="stop"
    )


def _one_is_cut(value: Any) -> None:  # noqa: ANN401 - JSON
    _one_calls(value)
    value["choices"][1]["finish_reason"] = "length"


FAULTS: tuple[Fault, ...] = (
    *_of("chat", "chat completions", "clients.openai_python.chat_stream"),
    *_of("completions", "completions"),
    fault(
        "only the first of two choices has its call",
        "a parser of calls for one text",
        "choices.chat.calls",
        changed(CALLS, answer(_one_calls)),
    ),
    fault(
        "n is ignored where a tool must be called",
        "a branch for tools that returns the first choice",
        "choices.chat.calls",
        changed(CALLS, answer(made("choices", lambda old: old[:1]))),
    ),
    fault(
        "only the first of two choices has a role",
        "a flag for the whole stream",
        "chat.stream.role_first",
        changed(CHAT_STREAM, each(_no_role, where=_is_second)),
    ),
)


WHOLE = either(first("choices.chat.number"), first("choices.completions.number"))
STREAMS = either(CHAT_STREAM, last("choices.completions.streamed"))


def _one_after_the_other(old: list[bytes]) -> list[bytes]:
    """All of choice 0, all of choice 1, then the rest: Python's sort is stable."""
    return sorted(old, key=lambda frame: 2 if (found := _index(frame)) is None else found)


def _side_by_side(old: list[bytes]) -> list[bytes]:
    """The pieces of both choices are in one chunk."""
    parts = [json.loads(frame.removeprefix(b"data: ")) for frame in old if _index(frame) is not None]
    rest = [frame for frame in old if _index(frame) is None]
    for one, other in zip(parts[::2], parts[1::2], strict=True):
        one["choices"] += other["choices"]
    return [*(event(value) for value in parts[::2]), *rest]


def _ends_early(value: Any) -> None:  # noqa: ANN401 - JSON
    value["choices"][1]["finish_reason"] = "stop"
    usage = value["usage"]
    usage.update(completion_tokens=3, total_tokens=usage["prompt_tokens"] + 3)


def _reasoned(value: Any) -> None:  # noqa: ANN401 - JSON
    """The same number of reasoning tokens is added, which some servers do not limit."""
    _counted_twice(value)
    value["usage"]["completion_tokens_details"] = {"reasoning_tokens": 4}


HARMLESS: dict[str, Change] = {
    "several choices with tools that are refused": changed(CALLS, refused(400)),
    "a limit that cuts one of two choices before its call": changed(CALLS, answer(_one_is_cut)),
    "several choices that are refused": changed(either(WHOLE, STREAMS), refused(400)),
    "the second choice before the first": changed(WHOLE, answer(made("choices", lambda old: old[::-1]))),
    "a choice that ends early": changed(WHOLE, answer(_ends_early)),
    "reasoning that is counted with several choices": both(
        changed(WHOLE, answer(_reasoned)), changed(STREAMS, each(_reasoned, where=has_usage))
    ),
    "one choice after the other in a stream": changed(STREAMS, frames(_one_after_the_other)),
    "both choices in each chunk": changed(STREAMS, frames(_side_by_side)),
}
