"""Faults of log probabilities: missing, malformed, impossible, or of other tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gonogo.faults.editing import (
    answer,
    changed,
    cut,
    each,
    has_choice,
    has_usage,
    made,
    put,
    raw,
    refused,
    status,
)
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import either
from gonogo.faults.rule_picks import first, last, under

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Change

CHAT, CHAT_STREAM = first("logprobs.chat.present"), first("logprobs.chat.streamed")
TEXT, TEXT_STREAM = first("logprobs.completions.present"), first("logprobs.completions.streamed")
LIKELIEST = last("logprobs.chat.possible")

_ENTRIES = "choices.0.logprobs.content"
_ARRAYS = "choices.0.logprobs"
_LEGACY = {"tokens": ["H"], "token_logprobs": [-0.1], "top_logprobs": [{}], "text_offset": [0]}
_UNLIKELY = {"token": "z", "logprob": -9999.0, "bytes": [122]}
_ENTRY = {"token": "H", "logprob": -0.1, "bytes": [72], "top_logprobs": []}


def _tokens(count: int) -> Callable[[Any], None]:
    """Set the number of completion tokens."""

    def edit(value: Any) -> None:  # noqa: ANN401 - JSON
        usage = value["usage"]
        usage.update(completion_tokens=count, total_tokens=usage["prompt_tokens"] + count)

    return edit


def _has_entries(value: Any) -> bool:  # noqa: ANN401 - JSON
    return has_choice(value) and value["choices"][0]["logprobs"] is not None


def _beyond(data: bytes) -> bytes:
    """The first log probability is a number beyond 64-bit floats."""
    return re.sub(rb'"logprob":-[0-9.e-]+', b'"logprob":-1e999', data, count=1)


def _other_letter(value: Any) -> None:  # noqa: ANN401 - JSON
    value["choices"][0]["logprobs"]["content"][0].update(token="J", bytes=[74])


def _backwards(value: Any) -> None:  # noqa: ANN401 - JSON
    for entry in value["choices"][0]["logprobs"]["content"]:
        entry["top_logprobs"].reverse()


def _twice_the_tops(value: Any) -> None:  # noqa: ANN401 - JSON
    for entry in value["choices"][0]["logprobs"]["content"]:
        entry["top_logprobs"] *= 2


# One part of a complete answer's log probabilities, and the rule about it.
_CHAT = (
    (
        "log probabilities of a chat are dropped",
        "ollama/ollama#16117",
        "present",
        put("choices.0.logprobs", None),
    ),
    (
        "log probabilities of a chat are an empty list",
        "a list that is never filled",
        "present",
        put(_ENTRIES, []),
    ),
    (
        "a probability above 1",
        "a logit in place of its logarithm",
        "possible",
        put(f"{_ENTRIES}.1.logprob", 11.25),
    ),
    ("alternatives are dropped", "dtzp555-max/ocp#470", "tops", put(f"{_ENTRIES}.*.top_logprobs", [])),
    (
        "twice the alternatives",
        "a number that is ignored",
        "tops_limited",
        lambda v: (_twice_the_tops(v), _sort(v)),
    ),
    ("alternatives with the worst first", "a sort that is upside down", "tops_sorted", _backwards),
    (
        "tokens as the vocabulary writes them",
        "mlx-lm gives the vocabulary's form",
        "bytes",
        put(f"{_ENTRIES}.0.token", "ĠH"),
    ),
    ("log probabilities of another text", "the first token twice", "spell", _other_letter),
    ("fewer completion tokens than log probabilities", "a counter that stops early", "count", _tokens(1)),
)

_COMPLETION = (
    ("log probabilities of a completion are dropped", "dtzp555-max/ocp#470", "present", put(_ARRAYS, None)),
    (
        "chat's form of log probabilities in a completion",
        "kekzl/imp#1589",
        "present",
        put(_ARRAYS, {"content": [_ENTRY], "refusal": None}),
    ),
    (
        "one text offset too few",
        "an array that begins at 1",
        "lengths",
        made(f"{_ARRAYS}.text_offset", lambda old: old[:-1]),
    ),
    ("no text offsets at all", "a form that leaves them out", "lengths", cut(f"{_ARRAYS}.text_offset")),
    (
        "a probability above 1 in a completion",
        "a logit in place of its logarithm",
        "possible",
        put(f"{_ARRAYS}.token_logprobs.1", 11.25),
    ),
    (
        "alternatives of a completion are dropped",
        "maps that are never filled",
        "tops",
        put(f"{_ARRAYS}.top_logprobs.*", {}),
    ),
    (
        "many more alternatives of a completion",
        "a number that is ignored",
        "tops_limited",
        put(f"{_ARRAYS}.top_logprobs.0", dict.fromkeys("abcdefgh", -1.5)),
    ),
    (
        "log probabilities of a completion of another text",
        "the first token twice",
        "spell",
        put(f"{_ARRAYS}.tokens.0", "J"),
    ),
    (
        "every text offset 0",
        "an offset that is never added up",
        "offsets",
        put(f"{_ARRAYS}.text_offset.*", 0),
    ),
    (
        "fewer completion tokens than log probabilities of a completion",
        "a counter that stops early",
        "count",
        _tokens(1),
    ),
)


def _sort(value: Any) -> None:  # noqa: ANN401 - JSON
    for entry in value["choices"][0]["logprobs"]["content"]:
        entry["top_logprobs"].sort(key=lambda other: -other["logprob"])


FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, by, f"logprobs.chat.{rule}", changed(CHAT, answer(edit)))
        for name, by, rule, edit in _CHAT
    ),
    *(
        fault(name, by, f"logprobs.completions.{rule}", changed(TEXT, answer(edit)))
        for name, by, rule, edit in _COMPLETION
    ),
    *(
        fault(
            f"a server error: {rule}",
            "code that looks up before it checks",
            rule,
            changed(first(rule), refused(500)),
        )
        for rule in under("logprobs.harmless")
    ),
    *(
        fault(
            f"taken as if it were right: {rule}",
            "a handler that ignores it",
            rule,
            changed(first(rule), status(200)),
        )
        for rule in under("logprobs.refused")
    ),
    fault(
        "the form of completions in a chat with log probabilities",
        "vllm-project/vllm#3179",
        ("logprobs.chat.present", "chat.response.logprobs"),
        changed(CHAT, answer(put("choices.0.logprobs", _LEGACY))),
    ),
    fault(
        "log probabilities are dropped from streams of chats",
        "ml-explore/mlx-lm PR#1630",
        "logprobs.chat.streamed",
        changed(CHAT_STREAM, each(put("choices.0.logprobs", None), where=has_choice)),
    ),
    fault(
        "no bytes in log probabilities",
        "mlx-lm leaves them out",
        ("logprobs.chat.shape", "chat.response.logprobs"),
        changed(CHAT, answer(cut(f"{_ENTRIES}.*.bytes"))),
    ),
    fault(
        "log probabilities as strings in streams",
        "a template that quotes",
        ("logprobs.chat.shape", "chat.stream.logprobs"),
        changed(CHAT_STREAM, each(put(f"{_ENTRIES}.*.logprob", "-0.1"), where=_has_entries)),
    ),
    fault(
        "no refusal beside the log probabilities of a stream",
        "llama.cpp leaves it out",
        "chat.stream.logprobs",
        changed(CHAT_STREAM, each(cut("choices.0.logprobs.refusal"), where=_has_entries)),
    ),
    fault(
        "log probabilities of the first tokens only",
        "sgl-project/sglang#26778",
        ("logprobs.chat.count", "logprobs.chat.spell"),
        changed(CHAT, answer(made(_ENTRIES, lambda old: old[:2]))),
    ),
    fault(
        "more completion tokens than log probabilities in a stream",
        "a gateway that counts by itself",
        "logprobs.chat.count",
        changed(CHAT_STREAM, each(_tokens(9), where=has_usage)),
    ),
    fault(
        "a log probability that is beyond all numbers",
        "sgl-project/sglang#5984, written as a number too large",
        ("logprobs.chat.possible", "chat.response.logprobs"),
        changed(LIKELIEST, raw(_beyond)),
    ),
    fault(
        "log probabilities need alternatives",
        "vllm-project/vllm#4795",
        "logprobs.chat.no_top",
        changed(last("logprobs.chat.no_top"), refused(400)),
    ),
    fault(
        "0 alternatives are refused",
        "0 that is taken for absent",
        "logprobs.chat.top_zero",
        changed(last("logprobs.chat.top_zero"), refused(400)),
    ),
    fault(
        "log probabilities are dropped from streams of completions",
        "a second code path",
        "logprobs.completions.streamed",
        changed(TEXT_STREAM, each(put("choices.0.logprobs", None), where=has_choice)),
    ),
    fault(
        "0 alternatives of a completion are refused",
        "0 that is taken for absent",
        "logprobs.completions.zero",
        changed(last("logprobs.completions.zero"), refused(400)),
    ),
    fault(
        "text offsets that fall",
        "offsets from the end",
        (
            "logprobs.completions.offsets_rise",
            "logprobs.completions.offsets",
            "logprobs.completions.offsets_begin",
        ),
        changed(TEXT, answer(made(f"{_ARRAYS}.text_offset", lambda old: old[::-1]))),
    ),
    fault(
        "text offsets in tokens of the prompt",
        "two counts of one prompt",
        "logprobs.completions.offsets_begin",
        changed(TEXT, answer(made(f"{_ARRAYS}.text_offset", lambda old: [offset + 5 for offset in old]))),
    ),
    fault(
        "no log probabilities without alternatives",
        "vllm-project/vllm#4795: 0 is taken for absent",
        ("logprobs.chat.top_zero", "logprobs.chat.no_top"),
        changed(
            either(last("logprobs.chat.top_zero"), last("logprobs.chat.no_top")),
            answer(put("choices.0.logprobs", None)),
        ),
    ),
    fault(
        "a completion's log probabilities of 0 alternatives are left out",
        "a test of truth in place of None",
        "logprobs.completions.zero",
        changed(last("logprobs.completions.zero"), answer(put("choices.0.logprobs", None))),
    ),
    fault(
        "alternatives that were not requested",
        "llama.cpp's server has 20",
        "logprobs.chat.no_tops_unasked",
        changed(
            last("logprobs.chat.no_top"),
            answer(made(f"{_ENTRIES}.0.top_logprobs", lambda _: [_UNLIKELY] * 20)),
        ),
    ),
)


def _asked(exchange: Exchange) -> bool:
    """Whether log probabilities were requested."""
    body = exchange.request.json
    return isinstance(body, dict) and body.get("logprobs") not in (None, False)


def _with_end(value: Any) -> None:  # noqa: ANN401 - JSON
    """The end token is reported, because the model ended before the limit."""
    end = {"token": "<|end|>", "logprob": -0.5, "bytes": None, "top_logprobs": []}
    value["choices"][0]["logprobs"]["content"].append(end)


def _in_halves(value: Any) -> None:  # noqa: ANN401 - JSON
    """A character is split over two tokens, neither of which is valid text."""
    entries = value["choices"][0]["logprobs"]["content"]
    n = next(n for n, entry in enumerate(entries) if len(entry["bytes"]) == 2)
    halves = [entries[n] | {"token": "\ufffd", "bytes": [byte]} for byte in entries[n]["bytes"]]
    entries[n : n + 1] = halves
    _tokens(5)(value)


def _reasoned(value: Any) -> None:  # noqa: ANN401 - JSON
    """Reasoning tokens are counted too."""
    _tokens(40)(value)
    value["usage"]["completion_tokens_details"] = {"reasoning_tokens": 36}


def _half_of_a_character(value: Any) -> None:  # noqa: ANN401 - JSON
    """The limit was reached within a character: its first bytes are reported, its text is not."""
    choice = value["choices"][0]
    choice["message"]["content"] = choice["message"]["content"][:3]
    choice["logprobs"]["content"][3].update(token="\ufffd", bytes=[0xF0, 0x9F])


HARMLESS: dict[str, Change] = {
    "log probabilities that are refused": changed(_asked, refused(400)),
    "log probabilities that are refused in streams": changed(either(CHAT_STREAM, TEXT_STREAM), refused(400)),
    "log probabilities of the end token": changed(CHAT, answer(_with_end)),
    "an end token that is counted": changed(either(CHAT, TEXT), answer(_tokens(5))),
    "no bytes that are known": changed(CHAT, answer(put(f"{_ENTRIES}.*.bytes", None))),
    "a character over two tokens": changed(CHAT, answer(_in_halves)),
    "a limit within a character": changed(CHAT, answer(_half_of_a_character)),
    "tokens of hidden reasoning": changed(CHAT, answer(_reasoned)),
    "an alternative that is all but impossible": changed(
        CHAT, answer(put(f"{_ENTRIES}.0.top_logprobs.2", _UNLIKELY))
    ),
    "fewer alternatives than were asked for": changed(
        CHAT, answer(made(f"{_ENTRIES}.*.top_logprobs", lambda old: old[:1]))
    ),
    "log probabilities of 0": changed(CHAT, answer(put(f"{_ENTRIES}.0.logprob", 0))),
    "a log probability a little above 0": changed(TEXT, answer(put(f"{_ARRAYS}.token_logprobs.0", 1.2e-7))),
    "text offsets that begin after the prompt": changed(
        TEXT, answer(made(f"{_ARRAYS}.text_offset", lambda old: [offset + 22 for offset in old]))
    ),
    "the token itself beside the likeliest": changed(
        TEXT, answer(put(f"{_ARRAYS}.top_logprobs.0", {"H": -0.1, "a": -1.0, "b": -2.0}))
    ),
    "null at an end of a text": changed(TEXT, answer(put(f"{_ARRAYS}.token_logprobs.0", None))),
}
