"""The text itself: whole characters, no markers of a template, and the same words whole and streamed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from gonogo.judge import calls, reading
from gonogo.judge.checks.acceptance import accepted
from gonogo.judge.checks.counts import generated, refuse_reasoning, text
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check, compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

# Markers that end or begin a turn in the templates of widely used models. No model has a reason to write one out
# that was not asked for it.
CONTROL_TOKENS = (
    "<|im_start|>",
    "<|im_end|>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|end_of_turn|>",
    "<|end_of_role|>",
    "<|start_of_role|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<｜begin▁of▁sentence｜>",  # noqa: RUF001 - DeepSeek writes them so
    "<｜end▁of▁sentence｜>",  # noqa: RUF001 - as above
    "<eos>",
    "</s>",
    "[/INST]",
)

REPLACEMENT = "\ufffd"
SURROGATE = re.compile("[\ud800-\udfff]")
FEWEST = 3
"""Texts that have to begin with a space before it is put down to the server."""
REASONS = ("stop", "length")


@check("no control token is in the text", Of.BEGUN)
def no_control_token(exchange: Exchange) -> Deviation | None:
    """What a template says to the model is not for the reader (mzau/mlx-knife#20)."""
    said = _said(exchange)
    asked = exchange.request.body.decode("utf-8", "replace")
    found = [token for token in CONTROL_TOKENS if token in said and token not in asked]
    if not found:
        return None
    return Deviation("text without control tokens", f"{found[0]!r} is in the text {_shown(said, found[0])!r}")


@check("no string holds half a surrogate pair", Of.BEGUN)
def no_half_pair(exchange: Exchange) -> Deviation | None:
    """A character outside the first plane is escaped as two halves, which belong into one string."""
    if "\\ud" in exchange.request.body.decode("latin-1").lower():
        raise Undecided(f"{exchange.id} asks for something with such halves itself")
    events = reading.stream(exchange).events if exchange.is_stream else None
    for data in [exchange.body.decode("utf-8", "replace")] if events is None else [e.data for e in events]:
        half = SURROGATE.search(_strings(data))
        if half is not None:
            return Deviation(
                "whole characters in every string", f"a string holds \\u{ord(half[0]):04x} alone"
            )
    return None


@compare("no character of the whole text is a replacement character in the stream", Of.BEGUN)
def characters_whole(*exchanges: Exchange) -> Deviation | None:
    """A character of several tokens is held back until it is whole (mlc-ai/mlc-llm#804).

    One at the very end may be what the token limit left of a character.
    """
    whole, streamed = exchanges
    expected, actual = _said(whole), _said(streamed).rstrip(REPLACEMENT)
    if expected.isascii():
        raise Undecided(f"the text of {whole.id} has no character that takes more than a byte")
    if REPLACEMENT in expected:
        raise Undecided(f"the text of {whole.id} has replacement characters itself")
    if REPLACEMENT not in actual:
        return None
    parts = re.split(f"{REPLACEMENT}+", actual)
    if re.match(".+?".join(map(re.escape, parts)), expected, re.DOTALL) is None:
        raise Undecided(f"the greedy text changed in {streamed.id}")
    return Deviation(f"the text {expected!r}", f"the deltas make {actual!r}")


@compare("the text is the same whole as it is streamed", Of.BEGUN)
def same_text(*exchanges: Exchange) -> Deviation | None:
    """Greedy text that repeats does not depend on how it is sent. Spaces at the ends do not count."""
    streamed, whole = _repeated(*exchanges)
    expected, actual = _said(streamed).strip(), _said(whole).strip()
    if expected == actual:
        return None
    return Deviation(f"the text of the stream, {expected!r}", f"the whole text is {actual!r}")


@compare("the reason to finish is the same whole as it is streamed", Of.BEGUN)
def same_reason(*exchanges: Exchange) -> Deviation | None:
    """The same text ends for the same reason."""
    streamed, whole = _alike(*exchanges)
    reading.ended(streamed)
    expected, actual = (_reason(exchange) for exchange in (streamed, whole))
    if expected == actual:
        return None
    return Deviation(f"finish_reason {expected!r}, as in the stream", f"finish_reason is {actual!r}")


@compare("the completion tokens are the same whole as they are streamed", Of.BEGUN)
def same_count(*exchanges: Exchange) -> Deviation | None:
    """The same text takes the same number of tokens."""
    streamed, whole = _alike(*exchanges)
    expected, actual = generated(streamed), generated(whole)
    if 0 in (expected, actual):
        raise Undecided(f"{streamed.id} or {whole.id} counts no tokens")
    if expected == actual:
        return None
    for exchange in (streamed, whole):
        refuse_reasoning(exchange)
    return Deviation(f"completion_tokens {expected}, as in the stream", f"completion_tokens is {actual}")


@compare("not every text begins with a space", Of.ANY)
def no_leading_space(*exchanges: Exchange) -> Deviation | None:
    """A space that begins every text is a server's, not a model's (vllm-project/vllm#3935)."""
    said = [(exchange, found) for exchange in exchanges if (found := _readable(exchange))]
    if len(said) < FEWEST:
        raise Undecided(f"{len(said)} answers carry text, and fewer than {FEWEST} show too little")
    if not all(found.startswith(" ") for _, found in said):
        return None
    shown = tuple((exchange.id, f"the text is {found[:40]!r}") for exchange, found in said[:FEWEST])
    return Deviation("texts that begin with a word", f"all {len(said)} texts begin with a space", None, shown)


def _repeated(first: Exchange, again: Exchange, whole: Exchange) -> tuple[Exchange, Exchange]:
    """The stream and the whole answer; Undecided where the stream says something else when it is repeated."""
    reading.ended(first)
    if text(first) != text(again):
        raise Undecided(f"the greedy text did not repeat ({first.id} and {again.id})")
    return first, whole


def _alike(streamed: Exchange, whole: Exchange) -> tuple[Exchange, Exchange]:
    """Both; Undecided where they have not the same text, which is for another rule to say."""
    if _said(streamed).strip() != _said(whole).strip():
        raise Undecided(f"the texts of {streamed.id} and {whole.id} differ")
    return streamed, whole


def _reason(exchange: Exchange) -> object:
    """The reason of the only choice; Undecided where it is none of those that end a text."""
    reasons = [reason for reason in calls.finish_reasons(exchange) if reason in REASONS]
    if not reasons:
        raise Undecided(f"no finish_reason that ends a text was given in {exchange.id}")
    return reasons[-1]


def _readable(exchange: Exchange) -> str:
    """The text of an answer that was free to begin with any; "" for any other."""
    asked = exchange.request.json
    if not accepted(exchange) or not isinstance(asked, dict) or asked.get("response_format"):
        return ""
    try:
        return text(exchange)
    except Undecided:
        return ""


def _strings(data: str) -> str:
    """All strings of a JSON value, one text; "" where it is none, which other rules say."""
    try:
        return json.dumps(json.loads(data), ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def _said(exchange: Exchange) -> str:
    """The text; Undecided where there is none."""
    said = text(exchange)
    if not said:
        raise Undecided(f"{exchange.id} carries no text")
    return said


def _shown(said: str, part: str) -> str:
    """The part with a few characters around it."""
    at = said.index(part)
    return said[max(0, at - 20) : at + len(part) + 20]
