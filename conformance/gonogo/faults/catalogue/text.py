"""Faults of the text itself: leaked control tokens, split characters, differences between whole and streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo.faults.catalogue.stops import CHAT, COMPLETION, saying
from gonogo.faults.editing import answer, changed, each, frames, made, put, raw
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import asked
from gonogo.judge.checks.counts import text
from gonogo.stimuli.bodies import post
from gonogo.stimuli.greedy import COUNTED, WIDE
from gonogo.stimuli.stimulus import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Change, Edit
    from gonogo.faults.picks import Pick

WIDE_STREAM = post(Endpoint.CHAT, WIDE, streamed=True).key
COUNTED_STREAM = post(Endpoint.CHAT, COUNTED, streamed=True).key
PLAIN = asked("POST /chat/completions {} as application/json; charset=utf-8")
PLAIN_STREAM = asked('POST /chat/completions {"stream":true}')


def _rewritten(make: Callable[[str], str]) -> Edit:
    return lambda exchange: saying(make(text(exchange)))(exchange)


def _marked(old: str) -> str:
    """Two replacement characters for every multi-byte character, except at the end."""
    return "".join(c if c.isascii() else "\ufffd\ufffd" for c in old)


def _halves(old: list[bytes]) -> list[bytes]:
    """An emoji is split into two surrogates, one in each delta."""
    at = next(n for n, frame in enumerate(old) if b'"content":"' in frame and b'"content":""' not in frame)
    content = _content(old[at])
    first, second = (
        old[at].replace(content, b'"content":"' + half + b'"') for half in (rb"\ud83c", rb"\udf89")
    )
    return [*old[:at], first, second, *old[at + 1 :]]


def _content(frame: bytes) -> bytes:
    start = frame.index(b'"content":"')
    return frame[start : frame.index(b'"', start + len(b'"content":"')) + 1]


def _is_whole_chat(exchange: Exchange) -> bool:
    named = exchange.stimulus.startswith("POST /chat/completions ")
    if not named or exchange.status != 200 or exchange.media_type != "application/json":
        return False
    asked_for = exchange.request.json
    return isinstance(asked_for, dict) and not asked_for.get("response_format")


def _spaced(value: Any) -> None:  # noqa: ANN401 - JSON
    for choice in value["choices"]:
        if choice["message"]["content"]:
            choice["message"]["content"] = " " + choice["message"]["content"]
        if choice.get("logprobs") and choice["logprobs"]["content"]:
            token = choice["logprobs"]["content"][0]
            for entry in (token, *token["top_logprobs"]):
                entry["token"] = " " + entry["token"]
                entry["bytes"] = [32, *entry["bytes"]]


def _one_more(value: Any) -> None:  # noqa: ANN401 - JSON
    if value.get("usage"):
        value["usage"]["completion_tokens"] += 1
        value["usage"]["total_tokens"] += 1


def _leaks(name: str, imitates: str, token: str, pick: Pick = PLAIN) -> Fault:
    return fault(name, imitates, "text.control_tokens", changed(pick, _rewritten(lambda old: old + token)))


FAULTS: tuple[Fault, ...] = (
    _leaks("a text that ends with </s>", "EricLBuehler/mistral.rs#79", "</s>"),
    _leaks("a text that ends with <|im_end|>", "mzau/mlx-knife#20", "<|im_end|>"),
    _leaks("a stream that ends with <|eot_id|>", "ModelTC/LightLLM#130", "<|eot_id|>", PLAIN_STREAM),
    fault(
        "an emoji in two halves",
        "a serialiser that escapes UTF-16 code units, token by token",
        "text.surrogates",
        changed(PLAIN_STREAM, frames(_halves)),
    ),
    fault(
        "half an emoji in a whole answer",
        "a text cut off between UTF-16 code units",
        "text.surrogates",
        changed(PLAIN, raw(lambda old: old.replace(b'"content":"', rb'"content":"\ud83c', 1))),
    ),
    fault(
        "marks in place of streamed characters",
        "mlc-ai/mlc-llm#804, triton-inference-server/server#8039",
        "text.characters",
        changed(asked(WIDE_STREAM), _rewritten(_marked)),
    ),
    fault(
        "a control token in the whole text only",
        "mzau/mlx-knife#20",
        ("text.control_tokens", "text.same"),
        changed(asked(CHAT), _rewritten(lambda old: old + "<|im_end|>")),
    ),
    fault(
        "another text where it is not streamed",
        "two code paths with two ways to sample",
        "text.same",
        changed(asked(CHAT), saying("Something else.")),
    ),
    fault(
        "another completion where it is not streamed",
        "two code paths with two ways to sample",
        "text.completions_same",
        changed(asked(COMPLETION), saying("Something else.")),
    ),
    fault(
        '"stop" as the reason of a whole text that is "length" in the stream',
        "a reason that one of two code paths sets",
        "text.same_reason",
        changed(asked(CHAT), answer(put("choices.0.finish_reason", "stop"))),
    ),
    fault(
        "a token more where the text is streamed",
        "an end that is counted in one form only",
        "text.same_count",
        changed(asked(COUNTED_STREAM), each(_one_more)),
    ),
    fault(
        "a space before every message",
        "janhq/jan#2548, vllm-project/vllm#3935",
        "text.leading_space",
        changed(_is_whole_chat, answer(_spaced)),
    ),
)

# Answers that keep the contract, or show nothing about the text.
HARMLESS: dict[str, Change] = {
    "half a character at the end of a limited stream": changed(
        asked(WIDE_STREAM), _rewritten(lambda old: old[:-1] + "\ufffd")
    ),
    "another text of wide characters, with marks": changed(
        asked(WIDE_STREAM), saying("Oh, \ufffd\ufffd yes.")
    ),
    "a space before one message": changed(
        PLAIN, answer(made("choices.0.message.content", lambda old: " " + old))
    ),
}
