"""Faults of streamed completions."""

from __future__ import annotations

from typing import Any

from gonogo.faults.editing import (
    DONE,
    body,
    changed,
    copied,
    cut,
    each,
    finishes,
    frames,
    has_choice,
    has_usage,
    made,
    moved,
    numbered,
    put,
    raw,
    without,
)
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import asked, streamed
from gonogo.faults.usage import counted

STREAMS = streamed("/completions")
PLAIN = asked('POST /completions {"max_tokens":24,"stream":true,"temperature":0} #2')
UNCOUNTED = asked('POST /completions {"max_tokens":24,"stream":true,"temperature":0}')

LIMITED = asked(
    'POST /completions {"max_tokens":2,"stream":true,"stream_options":{"include_usage":true},"temperature":0}'
)


def _delta(value: Any) -> None:  # noqa: ANN401 - JSON
    for choice in value["choices"]:
        choice["delta"] = {"content": choice.pop("text")}


def _id_of_its_own(number: int, value: Any) -> None:  # noqa: ANN401 - JSON
    value["id"] += f"-{number}"


def _without_usage(old: list[bytes]) -> list[bytes]:
    return [frame for frame in old if b'"choices":[]' not in frame]


def _unfinished(value: Any) -> bool:  # noqa: ANN401 - JSON
    return has_choice(value) and not finishes(value)


# One field of every chunk with a choice, and the one rule about it.
_CHUNKS = (
    ("chunks of completions without an id", "mudler/LocalAI#648", "id", cut("id")),
    ("chunks of completions without object", "mudler/LocalAI#648", "object", cut("object")),
    (
        "text_completion.chunk as object",
        "qualcomm/GenieX PR#66",
        "object",
        put("object", "text_completion.chunk"),
    ),
    ("chunks of completions without created", "mudler/LocalAI#648", "created", cut("created")),
    (
        "chunks of completions created at a float",
        "time.time() as it is",
        "created",
        put("created", 1.7e9 + 0.5),
    ),
    ("chunks of completions without a model", "a handler that forgets it", "model", cut("model")),
    (
        "choices of a completion's chunks without an index",
        "mudler/LocalAI#648",
        "index",
        cut("choices.0.index"),
    ),
    ("null as text of chunks", "nothing to add", "text", put("choices.0.text", None)),
    (
        "a number as system_fingerprint of a completion's chunks",
        "a hash as it is",
        "rest",
        put("system_fingerprint", 44709),
    ),
    (
        "a string as logprobs of a completion's chunks",
        "a number as text",
        "logprobs",
        put("choices.0.logprobs", "-0.1"),
    ),
)

FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, imitates, f"completions.stream.{rule}", changed(STREAMS, each(edit, where=has_choice)))
        for name, imitates, rule, edit in _CHUNKS
    ),
    fault(
        "an empty stream of a completion",
        "a generator that yields nothing",
        "completions.stream.events",
        changed(STREAMS, body(b"")),
    ),
    fault(
        "streamed completions without [DONE]",
        "ikawrakow/ik_llama.cpp#467, which sends it for chats",
        "completions.stream.done",
        changed(STREAMS, without(-1)),
    ),
    fault(
        "[DONE] twice after a completion",
        "a gateway that adds its own",
        "completions.stream.done",
        changed(STREAMS, raw(lambda data: data + DONE)),
    ),
    fault(
        "another id for each chunk of a completion",
        "BerriAI/litellm#1571",
        "completions.stream.same_id",
        changed(STREAMS, numbered(_id_of_its_own)),
    ),
    fault(
        "the usage chunk of a completion without choices",
        "ROCm/ATOM PR#1711",
        "completions.stream.choices",
        changed(STREAMS, each(cut("choices"), where=has_usage)),
    ),
    fault(
        "null as choices of a completion's chunk",
        "a nil slice in Go",
        "completions.stream.choices",
        changed(PLAIN, copied(1, 1, put("choices", None))),
    ),
    fault(
        "deltas in a streamed completion",
        "qualcomm/GenieX PR#66",
        "completions.stream.text",
        changed(PLAIN, each(_delta)),
    ),
    fault(
        "chunks of completions without text",
        "madroidmaq/mlx-omni-server#2",
        "completions.stream.carries_text",
        changed(STREAMS, each(put("choices.*.text", ""))),
    ),
    fault(
        '"" as the finish reason of a completion\'s chunks',
        "mudler/LocalAI#5102",
        "completions.stream.finish_reason",
        changed(STREAMS, each(put("choices.*.finish_reason", ""), where=_unfinished)),
    ),
    fault(
        "a completion's stream that never finishes",
        "jakobdylanc/llmcord#84",
        "completions.stream.finish_once",
        changed(STREAMS, each(put("choices.*.finish_reason", None))),
    ),
    fault(
        "a completion's finish reason twice",
        "a gateway that adds its own",
        "completions.stream.finish_once",
        changed(PLAIN, copied(-2, -1, put("choices.*.text", ""))),
    ),
    fault(
        "text after a completion's finish reason",
        "two queues that are drained in turn",
        "completions.stream.finish_last",
        changed(PLAIN, moved(-2, -3)),
    ),
    fault(
        "stop as the finish reason of a completion's stream at its limit",
        "triton-inference-server/server#7796",
        "completions.stream.length",
        changed(STREAMS, each(put("choices.*.finish_reason", "stop"), where=finishes)),
    ),
    fault(
        "a completion's chunks created when the server began",
        "a time that is read once",
        "completions.stream.now",
        changed(LIMITED, each(put("created", 1_699_990_000))),
    ),
    fault(
        "max_tokens is ignored in streamed completions",
        "dtzp555-max/ocp#470",
        "completions.stream.limit",
        changed(
            LIMITED,
            each(put("choices.*.finish_reason", "stop"), where=finishes),
            counted(14, before=2),
        ),
    ),
    fault(
        "include_usage is ignored in completions",
        "BerriAI/litellm#8349",
        "completions.stream.usage",
        changed(STREAMS, frames(_without_usage)),
    ),
    fault(
        "null as the details of a count of a completion's stream",
        "a model dumped with its empty fields",
        "completions.stream.nulls",
        changed(LIMITED, each(put("usage.prompt_tokens_details", None), where=has_usage)),
    ),
    fault(
        "null counts in the usage of a completion's stream",
        "maximhq/bifrost#5425",
        "completions.stream.usage_schema",
        changed(LIMITED, each(put("usage.prompt_tokens", None), where=has_usage)),
    ),
    fault(
        "a total of a completion's stream that does not add up",
        "decolua/9router#3789",
        "completions.stream.usage_total",
        changed(LIMITED, each(made("usage.total_tokens", lambda n: n + 1), where=has_usage)),
    ),
    fault(
        "a usage chunk of a completion that was not requested",
        "Arthur-Ficial/apfel#100",
        "completions.stream.usage_unasked",
        changed(
            UNCOUNTED,
            copied(
                -2,
                -1,
                put("choices", []),
                put("usage", {"prompt_tokens": 23, "completion_tokens": 8, "total_tokens": 31}),
            ),
        ),
    ),
)
