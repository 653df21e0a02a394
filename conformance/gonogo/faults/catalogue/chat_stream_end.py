"""Faults of the end of a streamed chat completion: finish reasons and usage."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.faults.editing import (
    changed,
    copied,
    cut,
    each,
    event,
    finishes,
    frames,
    has_usage,
    made,
    moved,
    nth,
    numbered,
    put,
    unless_finishing,
    without,
)
from gonogo.faults.fault import Fault, fault, under
from gonogo.faults.picks import asked, either, streamed
from gonogo.faults.rule_picks import first, last
from gonogo.faults.usage import counted

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Change, Edit

STREAMS = streamed("/chat/completions")
PLAIN = asked('POST /chat/completions {"stream":true}')
COUNTED = asked('POST /chat/completions {"stream":true,"stream_options":{"include_usage":true}}')
LIMITED = asked(
    'POST /chat/completions {"max_tokens":2,"stream":true,"stream_options":{"include_usage":true},"temperature":0}'
)


GREEDY = last("chat.stream.as_written")
SHORT = first("chat.stream.as_written")


def late(seconds: float) -> Edit:
    """The whole answer arrives at once after this time."""

    def edit(exchange: Exchange) -> Exchange:
        chunks = tuple(replace(chunk, at=seconds) for chunk in exchange.chunks)
        return replace(exchange, chunks=chunks, seconds=seconds)

    return edit


def _merge_end(old: list[bytes]) -> list[bytes]:
    """The last text and the finish reason are in one chunk."""
    return [*old[:-3], old[-3].replace(b'"finish_reason":null', b'"finish_reason":"length"'), old[-1]]


def _without_usage(old: list[bytes]) -> list[bytes]:
    return [frame for frame in old if b'"choices":[]' not in frame]


def _with_usage(frame: bytes, counting: bytes) -> bytes:
    """The chunk with the usage of another chunk."""
    usage = json.loads(counting.removeprefix(b"data: "))["usage"]
    return event(json.loads(frame.removeprefix(b"data: ")) | {"usage": usage})


FAULTS: tuple[Fault, ...] = (
    # ---- the end
    fault(
        '"" as the finish reason of chunks',
        "ollama/ollama#4357, sgl-project/sglang#3912",
        "chat.stream.finish_reason",
        changed(STREAMS, each(unless_finishing(put("choices.*.finish_reason", "")))),
    ),
    fault(
        "eos_token as the finish reason of a stream",
        "huggingface/text-generation-inference#2466",
        under("chat.stream", "finish_reason", "length"),
        changed(STREAMS, each(put("choices.*.finish_reason", "eos_token"), where=finishes)),
    ),
    fault(
        "a stream that never finishes",
        "waybarrios/vllm-mlx#628, BerriAI/litellm#10686",
        "chat.stream.finish_once",
        changed(STREAMS, each(put("choices.*.finish_reason", None))),
    ),
    fault(
        "a stream without its last chunk",
        "ModelTC/LightLLM#130",
        "chat.stream.finish_once",
        changed(PLAIN, without(-2)),
    ),
    fault(
        "a finish reason twice",
        "a gateway that adds its own",
        "chat.stream.finish_once",
        changed(PLAIN, copied(-2, -1)),
    ),
    fault(
        "a finish reason in every chunk",
        "the whole answer's form in pieces",
        under("chat.stream", "finish_once", "finish_last", "finish_empty"),
        changed(PLAIN, each(put("choices.*.finish_reason", "stop"))),
    ),
    fault(
        "text after the finish reason",
        "two queues that are drained in turn",
        "chat.stream.finish_last",
        changed(PLAIN, moved(-2, -2)),
    ),
    fault(
        "the last text comes with the finish reason",
        "vllm-project/vllm#35705",
        "chat.stream.finish_empty",
        changed(PLAIN, frames(_merge_end)),
    ),
    fault(
        "stop as the finish reason of a stream at its limit",
        "mudler/LocalAI#3533",
        ("chat.stream.length", "text.same_reason"),
        changed(STREAMS, each(put("choices.*.finish_reason", "stop"), where=finishes)),
    ),
    # ---- usage
    fault(
        "include_usage is ignored",
        "LostRuins/koboldcpp#2480, ollama/ollama#5200",
        "chat.stream.usage",
        changed(STREAMS, frames(_without_usage)),
    ),
    fault(
        "usage in the chunk that finishes",
        "maximhq/bifrost#191",
        "chat.stream.usage",
        changed(COUNTED, frames(lambda old: [*old[:-3], _with_usage(old[-3], old[-2]), old[-1]])),
    ),
    fault(
        "the usage chunk comes first",
        "a count that is sent as soon as it is known",
        "chat.stream.usage_last",
        changed(COUNTED, moved(-2, 0)),
    ),
    fault(
        "the usage chunk comes before the finish reason",
        "two queues that are drained in turn",
        "chat.stream.usage_last",
        changed(COUNTED, moved(-2, -3)),
    ),
    fault(
        "usage in every chunk",
        "vLLM's continuous_usage_stats without being asked",
        "chat.stream.usage_once",
        changed(
            COUNTED, frames(lambda old: [*[_with_usage(frame, old[-2]) for frame in old[:-2]], *old[-2:]])
        ),
    ),
    fault(
        "the usage chunk twice",
        "a gateway that adds its own",
        "chat.stream.usage_once",
        changed(COUNTED, copied(-2, -1)),
    ),
    fault(
        "null counts in a stream's usage",
        "maximhq/bifrost#5425",
        "chat.stream.usage_schema",
        changed(COUNTED, each(put("usage.completion_tokens", None), where=has_usage)),
    ),
    fault(
        "a stream's usage without a total",
        "a handler that forgets it",
        "chat.stream.usage_schema",
        changed(COUNTED, each(cut("usage.total_tokens"), where=has_usage)),
    ),
    fault(
        "a word as usage of ordinary chunks",
        "a default in place of null",
        "chat.stream.usage_schema",
        changed(COUNTED, nth(2, put("usage", "none"))),
    ),
    fault(
        "a stream's total that does not add up",
        "decolua/9router#3789",
        "chat.stream.usage_total",
        changed(COUNTED, each(made("usage.total_tokens", lambda n: n + 1), where=has_usage)),
    ),
    fault(
        "streams count the prompt differently",
        "BerriAI/litellm#6488, vllm-project/vllm#8625",
        "chat.stream.usage_agrees",
        changed(
            COUNTED,
            each(
                made("usage.prompt_tokens", lambda n: n + 3),
                made("usage.total_tokens", lambda n: n + 3),
                where=has_usage,
            ),
        ),
    ),
    fault(
        "more tokens of reasoning than of the streamed completion",
        "the Gemini compatible endpoint counts thoughts beside the completion (softwaremill/sttp-ai#338)",
        "chat.stream.usage_details",
        changed(
            COUNTED, each(put("usage.completion_tokens_details", {"reasoning_tokens": 310}), where=has_usage)
        ),
    ),
    fault(
        "tool_calls as the finish reason of a streamed text",
        "a parser that saw the marker of a call, and could not read the call",
        "chat.stream.finish_called",
        changed(COUNTED, each(put("choices.0.finish_reason", "tool_calls"), where=finishes)),
    ),
    fault(
        "obfuscation that was switched off",
        "a server that pads every chunk",
        "chat.stream.obfuscation",
        changed(
            last("chat.stream.obfuscation"), numbered(lambda n, value: value.update(obfuscation="x" * n))
        ),
    ),
    fault(
        "chunks created when the server began",
        "a time that is read once",
        "chat.stream.now",
        changed(LIMITED, each(put("created", 1_699_990_000))),
    ),
    fault(
        "max_tokens is ignored in streams, which come to their own end",
        "dtzp555-max/ocp#470",
        "chat.stream.limit",
        changed(
            LIMITED,
            each(put("choices.*.finish_reason", "stop"), where=finishes),
            counted(14, before=2),
        ),
    ),
    fault(
        "max_tokens is ignored in streams",
        "dtzp555-max/ocp#470",
        "chat.stream.limit",
        changed(
            LIMITED,
            counted(16, before=2),
        ),
    ),
    fault(
        "all of a stream at its end",
        "jundot/omlx#112, LostRuins/koboldcpp#2480; proxies that buffer",
        "chat.stream.as_written",
        changed(GREEDY, late(2.5)),
    ),
    fault(
        "a usage chunk that was not requested",
        "Arthur-Ficial/apfel#100",
        "chat.stream.usage_unasked",
        changed(
            PLAIN,
            copied(
                -2,
                -1,
                put("choices", []),
                put("usage", {"prompt_tokens": 41, "completion_tokens": 8, "total_tokens": 49}),
            ),
        ),
    ),
)

HARMLESS: dict[str, Change] = {
    "a wait for few words as for many": changed(either(SHORT, GREEDY), late(2.5)),
    "all of a stream at once, and soon": changed(GREEDY, late(0.5)),
}
