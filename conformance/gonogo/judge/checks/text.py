"""Checks on the text itself: intact characters, no control tokens, and equal complete and streamed texts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from gonogo.judge import calls, reading
from gonogo.judge.checks.acceptance import accepted
from gonogo.judge.checks.counts import all_of_it, generated, refuse_reasoning, text
from gonogo.judge.outcome import Deviation, Stop, saw, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

# Markers that begin or end a turn in the templates of common models. No model has a reason to write one
# unless it is requested.
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
"""The minimum number of texts that begin with a space before the server is the cause."""
REASONS = ("stop", "length")


@check("no control token is in the text", Of.BEGUN)
def no_control_token(exchange: Exchange) -> Outcome:
    """Markers of the template are not part of the text (mzau/mlx-knife#20)."""
    said = _said(exchange)
    asked = exchange.request.body.decode("utf-8", "replace")
    found = [token for token in CONTROL_TOKENS if token in said and token not in asked]
    if not found:
        return saw("text without a control token", exchange)
    return Deviation("text without control tokens", f"{found[0]!r} is in the text {_shown(said, found[0])!r}")


@check("no string contains a lone surrogate", Of.BEGUN)
def no_half_pair(exchange: Exchange) -> Outcome:
    """A character outside the BMP is escaped as two surrogates, which must be in one string."""
    if "\\ud" in exchange.request.body.decode("latin-1").lower():
        raise undecided(Reason.ASKS_FOR_HALVES, exchange)
    events = reading.stream(exchange).events if exchange.is_stream else None
    seen = 0
    for data in [exchange.body.decode("utf-8", "replace")] if events is None else [e.data for e in events]:
        strings = _strings(data)
        half = SURROGATE.search(strings)
        if half is not None:
            return Deviation(
                "whole characters in every string", f"a string holds \\u{ord(half[0]):04x} alone"
            )
        seen += '"' in strings
    return saw("JSON value with strings", exchange, count=seen)


@compare("no character of the whole text is a replacement character in the stream", Of.BEGUN)
def characters_whole(*exchanges: Exchange) -> Outcome:
    """A character of several tokens is held back until it is complete (mlc-ai/mlc-llm#804).

    The token limit may truncate the last one.
    """
    whole, streamed = exchanges
    expected, actual = _said(whole), _said(streamed).rstrip(REPLACEMENT)
    if expected.isascii():
        raise undecided(Reason.ALL_ASCII, whole)
    if REPLACEMENT in expected:
        raise undecided(Reason.REPLACEMENTS, whole)
    if REPLACEMENT not in actual:
        several = sum(not character.isascii() for character in actual)
        return saw("character of several bytes", streamed, count=several)
    parts = re.split(f"{REPLACEMENT}+", actual)
    if re.match(".+?".join(map(re.escape, parts)), expected, re.DOTALL) is None:
        raise undecided(Reason.TEXT_CHANGED, whole, streamed)
    return Deviation(f"the text {expected!r}", f"the deltas make {actual!r}")


@compare("the texts of the whole answer and the stream are equal", Of.BEGUN)
def same_text(*exchanges: Exchange) -> Outcome:
    """Repeatable greedy text is the same complete and streamed. Spaces at the ends are ignored."""
    streamed, whole = _repeated(*exchanges)
    expected, actual = _said(streamed).strip(), _said(whole).strip()
    if expected == actual:
        return saw("character of the text", streamed, whole, count=len(expected))
    reading.ended(streamed)
    return Deviation(f"the text of the stream, {expected!r}", f"the whole text is {actual!r}")


@compare("the finish reasons of the whole answer and the stream are equal", Of.BEGUN)
def same_reason(*exchanges: Exchange) -> Outcome:
    """The same text has the same reason."""
    streamed, whole = _alike(*exchanges)
    reading.unfailed(streamed)
    expected, actual = (_reason(exchange) for exchange in (streamed, whole))
    if expected == actual:
        return saw("finish_reason", streamed, whole)
    return Deviation(f"finish_reason {expected!r}, as in the stream", f"finish_reason is {actual!r}")


@compare("the completion tokens of the whole answer and the stream are equal", Of.BEGUN)
def same_count(*exchanges: Exchange) -> Outcome:
    """The same text has the same number of tokens."""
    streamed, whole = _alike(*exchanges)
    expected, actual = generated(streamed), generated(whole)
    if 0 in (expected, actual):
        raise undecided(Reason.NO_COUNT, streamed, whole, field="completion_tokens")
    if expected == actual:
        return saw("completion_tokens", streamed, whole)
    for exchange in (streamed, whole):
        refuse_reasoning(exchange)
    return Deviation(f"completion_tokens {expected}, as in the stream", f"completion_tokens is {actual}")


@compare("not all texts begin with a space", Of.ANY)
def no_leading_space(*exchanges: Exchange) -> Outcome:
    """A space at the beginning of every text comes from the server, not from the model (vllm-project/vllm#3935)."""
    said = [(exchange, found) for exchange in exchanges if (found := _readable(exchange))]
    if len(said) < FEWEST:
        raise undecided(Reason.TOO_FEW_TEXTS, *exchanges, found=len(said), needed=FEWEST)
    without = [exchange for exchange, found in said if not found.startswith(" ")]
    if without:
        return saw("text that begins without a space", *without)
    shown = tuple((exchange.id, f"the text is {found[:40]!r}") for exchange, found in said[:FEWEST])
    return Deviation("texts that begin with a word", f"all {len(said)} texts begin with a space", also=shown)


def _repeated(first: Exchange, again: Exchange, whole: Exchange) -> tuple[Exchange, Exchange]:
    """The stream and the whole answer. Raises Stop if the repeated stream has another text."""
    reading.unfailed(first)
    if text(first) != text(again):
        raise undecided(Reason.NOT_REPEATED, first, again)
    return first, whole


def _alike(streamed: Exchange, whole: Exchange) -> tuple[Exchange, Exchange]:
    """Both exchanges. Raises Stop if their texts differ, which another rule checks."""
    if _said(streamed).strip() != _said(whole).strip():
        raise undecided(Reason.TEXTS_DIFFER, streamed, whole)
    return streamed, whole


def _reason(exchange: Exchange) -> object:
    """The reason of the only choice. Raises Stop if it does not end a text."""
    given = calls.finish_reasons(exchange)
    if not given:
        all_of_it(exchange)
        raise undecided(Reason.NO_FINISH_REASON, exchange)
    reasons = [reason for reason in given if reason in REASONS]
    if not reasons:
        raise undecided(Reason.FIELD_NOT, exchange, field="finish_reason", kind='"stop" or "length"')
    return reasons[-1]


def _readable(exchange: Exchange) -> str:
    """The text of an answer that is free to begin with any character; "" for other answers."""
    asked = exchange.request.json
    if not accepted(exchange) or not isinstance(asked, dict) or asked.get("response_format"):
        return ""
    try:
        return text(exchange)
    except Stop:
        return ""


def _strings(data: str) -> str:
    """All strings of a JSON value as one text; "" if it is not JSON, which other rules check."""
    try:
        return json.dumps(json.loads(data), ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def _said(exchange: Exchange) -> str:
    """The text. Raises Stop if there is none."""
    said = text(exchange)
    if not said:
        raise undecided(Reason.NO_TEXT, exchange)
    return said


def _shown(said: str, part: str) -> str:
    """An excerpt of the text around the part."""
    at = said.index(part)
    return said[max(0, at - 20) : at + len(part) + 20]
