"""Checks on log probabilities of both operations: present if requested, one per token, and possible values."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING

from gonogo.judge import reading, shape, token_logprobs
from gonogo.judge.checks.acceptance import taken_like_the_first
from gonogo.judge.checks.counts import generated, refuse_reasoning, text
from gonogo.judge.checks.stops import LONGEST_TOKEN, stopped_text
from gonogo.judge.outcome import Deviation, Kept, saw, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Object

ROUNDING = 1e-3
"""The tolerance above 0: probabilities in 32-bit and 16-bit arithmetic do not sum to exactly 1."""


@check("there are log probabilities of the content", Of.BEGUN)
def chat_present(exchange: Exchange) -> Outcome:
    """Present if they were requested and accepted; the form of completions is wrong (vllm-project/vllm#3179)."""
    return _present(exchange, "content")


@check("there are log probabilities of the text", Of.BEGUN)
def completion_present(exchange: Exchange) -> Outcome:
    """Present if they were requested and accepted; the form of chat is wrong."""
    return _present(exchange, "tokens")


@check("the number of log probabilities is that of the completion tokens", Of.BEGUN)
def one_each(exchange: Exchange) -> Outcome:
    """A difference of one is accepted: an end token may be counted, or reported, or neither."""
    entries = len(_tokens(exchange))
    tokens = generated(exchange)
    refuse_reasoning(exchange)
    if abs(entries - tokens) <= 1:
        own = len(list(_own(exchange)))
        return saw("token with a log probability", exchange, count=min(own, tokens))
    return Deviation(f"{tokens} log probabilities, as completion_tokens", f"there are {entries}")


@check("every log probability is a number that is not above 0", Of.BEGUN)
def possible(exchange: Exchange) -> Outcome:
    """The logarithm of a probability; infinite values are not JSON."""
    values = list(_values(exchange))
    for value in values:
        if not isfinite(value) or value > ROUNDING:
            return Deviation("a number that is 0 or below", f"a log probability is {value}")
    return saw("log probability", exchange, count=len(values))


@check("every token has its likeliest alternatives", Of.BEGUN)
def tops_present(exchange: Exchange) -> Outcome:
    """top_logprobs was requested and accepted."""
    with_any = [top for top in _tops(exchange) if top]
    if with_any:
        return saw("token with alternatives", exchange, count=len(with_any))
    return Deviation("the likeliest tokens at each place", "every list of them is empty")


@compare("if the first is accepted, the last is accepted too, with log probabilities", Of.ANY)
def taken_with_logprobs(first: Exchange, last: Exchange) -> Outcome:
    """Missing log probabilities show that the parameter was ignored; if the first answer lacks them too, another rule
    reports it.
    """
    taken = taken_like_the_first(first, last)
    if not isinstance(taken, Kept):
        return taken
    if not token_logprobs.pieces(first):
        raise undecided(Reason.NO_LOGPROBS, first)
    return _present(last, "content" if "messages" in last.request.fields else "tokens")


@compare("the stopped text has the log probabilities of its tokens")
def stopped_with_logprobs(whole: Exchange, cut: Exchange) -> Outcome:
    """The token in which the sequence begins, and those after it, are optional."""
    stopped_text(whole, cut).expect_ended()
    if not token_logprobs.pieces(cut):
        return _present(cut, "content")
    said, spelt = text(cut), _spelt(cut)
    shown = b"".join(spelt).decode("utf-8", "replace")
    if len(shown) >= len(said) - LONGEST_TOKEN:
        return saw("token with a log probability", cut, count=len(spelt))
    return Deviation(f"log probabilities of the tokens of {said!r}", f"they are those of {shown!r}")


@check("no token has alternatives, because none were requested", Of.BEGUN)
def no_tops(exchange: Exchange) -> Outcome:
    """For a completion the token itself is accepted, because the schema includes it."""
    most = max((len(top) for top in _tops(exchange)), default=0)
    if most > ("messages" not in exchange.request.fields):
        return Deviation("no alternatives", f"there are {most} at a place")
    return saw("token with a log probability", exchange, count=len(list(_own(exchange))))


@check("no token has more alternatives than requested", Of.BEGUN)
def tops_limited(exchange: Exchange) -> Outcome:
    """For a completion one more is accepted: the schema adds the token itself if it is not among them."""
    chat = "messages" in exchange.request.fields
    limit = (
        token_logprobs.asked(exchange, "top_logprobs")
        if chat
        else token_logprobs.asked(exchange, "logprobs") + 1
    )
    lengths = [len(top) for top in _tops(exchange) if top]
    most = max(lengths, default=0)
    if most > limit:
        return Deviation(f"at most {limit} at each place", f"there are {most}")
    return saw("token with alternatives", exchange, count=len(lengths))


@check("the likeliest tokens are sorted", Of.BEGUN)
def tops_sorted(exchange: Exchange) -> Outcome:
    """The likeliest comes first; completions have a map, which has no order."""
    seen = 0
    for top in _tops(exchange):
        values = [value for item in top if (value := token_logprobs.number(item.get("logprob"))) is not None]
        if any(later > earlier + ROUNDING for earlier, later in pairwise(values)):
            return Deviation("the likeliest first", f"the log probabilities are {values}")
        seen += len(values) > 1
    return saw("token with several alternatives", exchange, count=seen)


@check("the bytes of every token are its text", Of.BEGUN)
def bytes_are_text(exchange: Exchange) -> Outcome:
    """The bytes encode the text if the token has only complete characters."""
    compared = 0
    for entry in token_logprobs.entries(exchange):
        token, data = entry.get("token"), _bytes(entry)
        try:
            decoded = None if data is None else data.decode()
        except UnicodeDecodeError:
            continue
        if decoded is None or not isinstance(token, str):
            continue
        compared += 1
        if decoded != token:
            return Deviation(f"the bytes of {token!r}", f"the bytes are those of {decoded!r}")
    return saw("token whose bytes are text", exchange, count=compared)


@check("the tokens spell the text", Of.BEGUN)
def tokens_spell_text(exchange: Exchange) -> Outcome:
    """The tokens are joined by their bytes if all have them; an additional end token is accepted."""
    said = text(exchange)
    spelt = _spelt(exchange)
    if not said:
        raise undecided(Reason.NO_TEXT, exchange)
    shown, whole_characters = b"".join(spelt).decode("utf-8", "replace"), said.rstrip("\ufffd")
    less_the_last = b"".join(spelt[:-1]).decode("utf-8", "replace")
    if shown.rstrip("\ufffd") == whole_characters or less_the_last == said:
        return saw("character of the text", exchange, count=len(whole_characters))
    return Deviation(f"the tokens of {said[:60]!r}", f"the tokens spell {shown[:60]!r}")


@check("every entry of the log probabilities fits TokenLogprob", Of.BEGUN)
def entries_fit(exchange: Exchange) -> Outcome:
    """Token, logprob, bytes and top_logprobs have their types."""
    for piece in token_logprobs.pieces(exchange):
        content = piece.get("content") if isinstance(piece, dict) else None
        for entry in content if isinstance(content, list) else []:
            for misfit in shape.misfits("TokenLogprob", entry):
                return Deviation("an entry as defined by TokenLogprob", f"{misfit.pointer}: {misfit.message}")
    return saw("entry of the log probabilities", exchange, count=len(token_logprobs.entries(exchange)))


@check("the four arrays of the log probabilities have the same length", Of.BEGUN)
def same_lengths(exchange: Exchange) -> Outcome:
    """The arrays have the same length; clients zip them."""
    found = token_logprobs.arrays(exchange)
    missing = [name for name in token_logprobs.ARRAYS if name not in found]
    if missing:
        return Deviation("four arrays", f'"{missing[0]}" is missing')
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) == 1:
        return saw("token in all four arrays", exchange, count=lengths["tokens"])
    return Deviation("four arrays of one length", f"their lengths are {lengths}")


@check("no text offset is smaller than the previous one", Of.BEGUN)
def offsets_rise(exchange: Exchange) -> Outcome:
    """Offsets increase from token to token."""
    offsets = _offsets(exchange)
    for earlier, later in pairwise(offsets):
        if later < earlier:
            return Deviation("offsets that rise", f"{later} follows {earlier}")
    return saw("second text offset", exchange, count=len(offsets) - 1)


@check("the text offsets differ by the lengths of the tokens", Of.BEGUN)
def offsets_fit(exchange: Exchange) -> Outcome:
    """Offsets count characters, relative to the first one; undecided if a token is part of a character."""
    offsets = _offsets(exchange)
    tokens = [token for token in token_logprobs.arrays(exchange)["tokens"] if isinstance(token, str)]
    if len(tokens) != len(offsets) or any("\ufffd" in token or "bytes:" in token for token in tokens):
        raise undecided(Reason.TOKENS_NOT_TEXT, exchange)
    for number, token in enumerate(tokens[:-1]):
        step = offsets[number + 1] - offsets[number]
        if step != len(token):
            return Deviation(f"an offset {len(token)} after {token!r}", f"the next one is {step} further")
    return saw("token with a text offset after it", exchange, count=len(tokens) - 1)


@check("the first text offset is 0 or the length of the prompt", Of.BEGUN)
def offsets_begin(exchange: Exchange) -> Outcome:
    """The first offset is 0 or the length of the prompt in characters; with the prompt echoed it is 0."""
    offsets = _offsets(exchange)
    prompt = exchange.request.fields.get("prompt")
    if not isinstance(prompt, str):
        raise undecided(Reason.FIELD_NOT, exchange, field="prompt", kind="a string")
    echoed = exchange.request.fields.get("echo") is True
    if echoed and len(offsets) <= generated(exchange):
        raise undecided(Reason.PROMPT_NOT_COVERED, exchange)
    starts = [0] if echoed else [0, len(prompt)]
    if offsets[0] in starts:
        return saw("first text offset", exchange)
    return Deviation(f"a first offset of {' or '.join(map(str, starts))}", f"it is {offsets[0]}")


def _present(exchange: Exchange, field: str) -> Outcome:
    if not text(exchange):
        raise undecided(Reason.NO_TEXT, exchange)
    pieces = token_logprobs.pieces(exchange)
    if any(isinstance(piece, dict) and piece.get(field) for piece in pieces):
        return saw("log probability of a token", exchange, count=len(list(_own(exchange))))
    reading.ended(exchange)
    there = next((piece for piece in pieces if isinstance(piece, dict)), None)
    actual = (
        "logprobs is null or missing" if there is None else f"logprobs has {', '.join(there) or 'no fields'}"
    )
    return Deviation(f'logprobs with "{field}"', f"{actual}, and the text is {text(exchange)[:40]!r}")


def _tokens(exchange: Exchange) -> list[object]:
    if "messages" in exchange.request.fields:
        return list(token_logprobs.entries(exchange))
    return token_logprobs.arrays(exchange)["tokens"]


def _own(exchange: Exchange) -> Iterator[float]:
    """The log probability of each token itself, without values that are not numbers."""
    if "messages" in exchange.request.fields:
        found = [entry.get("logprob") for entry in token_logprobs.entries(exchange)]
    else:
        found = token_logprobs.arrays(exchange).get("token_logprobs", [])
    yield from (value for item in found if (value := token_logprobs.number(item)) is not None)


def _values(exchange: Exchange) -> Iterator[float]:
    """The log probabilities of the tokens, for chat also those of the alternatives."""
    if "messages" not in exchange.request.fields:
        yield from _own(exchange)
        return
    for entry in token_logprobs.entries(exchange):
        for item in (entry, *reading.objects(entry.get("top_logprobs"))):
            value = token_logprobs.number(item.get("logprob"))
            if value is not None:
                yield value


def _tops(exchange: Exchange) -> Iterator[list[Object]]:
    """The likeliest tokens at each position; for a completion without the map's keys."""
    if "messages" in exchange.request.fields:
        for entry in token_logprobs.entries(exchange):
            yield reading.objects(entry.get("top_logprobs"))
        return
    for place in token_logprobs.arrays(exchange).get("top_logprobs", []):
        if isinstance(place, dict):
            yield [{"token": token, "logprob": value} for token, value in place.items()]


def _spelt(exchange: Exchange) -> list[bytes]:
    if "messages" not in exchange.request.fields:
        return [str(token).encode("utf-8", "replace") for token in token_logprobs.arrays(exchange)["tokens"]]
    entries = token_logprobs.entries(exchange)
    data = [_bytes(entry) for entry in entries]
    known = [part for part in data if part is not None]
    if len(known) >= len(data) - 1 and known:
        return known
    return [str(entry.get("token")).encode("utf-8", "replace") for entry in entries]


def _bytes(entry: Object) -> bytes | None:
    value = entry.get("bytes")
    if not isinstance(value, list) or not all(isinstance(part, int) and 0 <= part < 256 for part in value):
        return None
    return bytes(value)


def _offsets(exchange: Exchange) -> list[int]:
    found = token_logprobs.arrays(exchange).get("text_offset", [])
    known = [offset for item in found if (offset := reading.count(item)) is not None]
    if not found:
        raise undecided(Reason.NOTHING_SEEN, exchange, what="text offset")
    if len(known) < len(found):
        raise undecided(Reason.FIELD_NOT, exchange, field="text_offset", kind="a list of whole numbers")
    return known
