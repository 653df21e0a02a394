"""Log probabilities of both operations: there where they were asked for, of each token, and numbers that can be."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING

from gonogo.judge import reading, shape, token_logprobs
from gonogo.judge.checks.counts import generated, refuse_reasoning, text
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Object

ROUNDING = 1e-3
"""A log probability may be this much above 0: 32-bit and 16-bit arithmetic does not sum to 1."""


@check("there are log probabilities of the content", Of.BEGUN)
def chat_present(exchange: Exchange) -> Deviation | None:
    """Asked for and accepted, so they come; completions' form is none of chat's (vllm-project/vllm#3179)."""
    return _present(exchange, "content")


@check("there are log probabilities of the text", Of.BEGUN)
def completion_present(exchange: Exchange) -> Deviation | None:
    """Asked for and accepted, so they come; chat's form is none of completions'."""
    return _present(exchange, "tokens")


@check("there are as many log probabilities as completion tokens", Of.BEGUN)
def one_each(exchange: Exchange) -> Deviation | None:
    """One more or less is let pass: an end token may be counted, or reported, or neither."""
    entries = len(_tokens(exchange))
    tokens = generated(exchange)
    refuse_reasoning(exchange)
    if abs(entries - tokens) <= 1:
        return None
    return Deviation(f"{tokens} log probabilities, as completion_tokens", f"there are {entries}")


@check("every log probability is a number that is not above 0", Of.BEGUN)
def possible(exchange: Exchange) -> Deviation | None:
    """The logarithm of a probability; what is not finite is no JSON."""
    for value in _values(exchange):
        if not isfinite(value) or value > ROUNDING:
            return Deviation("a number that is 0 or below", f"a log probability is {value}")
    return None


@check("every token lists the likeliest at its place", Of.BEGUN)
def tops_present(exchange: Exchange) -> Deviation | None:
    """top_logprobs was asked for and accepted."""
    tops = list(_tops(exchange))
    if any(tops):
        return None
    return Deviation("the likeliest tokens at each place", "every list of them is empty")


@check("no token lists more of the likeliest than were asked for", Of.BEGUN)
def tops_limited(exchange: Exchange) -> Deviation | None:
    """Of a completion one more is let pass: the schema adds the token itself where it is not among them."""
    chat = "messages" in exchange.request.fields
    limit = (
        token_logprobs.asked(exchange, "top_logprobs")
        if chat
        else token_logprobs.asked(exchange, "logprobs") + 1
    )
    most = max((len(top) for top in _tops(exchange)), default=0)
    return None if most <= limit else Deviation(f"at most {limit} at each place", f"there are {most}")


@check("the likeliest tokens stand in order", Of.BEGUN)
def tops_sorted(exchange: Exchange) -> Deviation | None:
    """Best first; completions have a map, which has no order."""
    for top in _tops(exchange):
        values = [value for item in top if (value := token_logprobs.number(item.get("logprob"))) is not None]
        if any(later > earlier + ROUNDING for earlier, later in pairwise(values)):
            return Deviation("the likeliest first", f"the log probabilities are {values}")
    return None


@check("the bytes of every token are its text", Of.BEGUN)
def bytes_are_text(exchange: Exchange) -> Deviation | None:
    """Where they are whole characters; a token may be part of one."""
    compared = False
    for entry in token_logprobs.entries(exchange):
        token, data = entry.get("token"), _bytes(entry)
        try:
            decoded = None if data is None else data.decode()
        except UnicodeDecodeError:
            continue
        if decoded is None or not isinstance(token, str):
            continue
        compared = True
        if decoded != token:
            return Deviation(f"the bytes of {token!r}", f"the bytes are those of {decoded!r}")
    if not compared:
        raise Undecided(f"no token of {exchange.id} has bytes that are text")
    return None


@check("the tokens spell the text", Of.BEGUN)
def tokens_spell_text(exchange: Exchange) -> Deviation | None:
    """By their bytes, where all have them; an end token more at the end is let pass."""
    said = text(exchange)
    spelt = _spelt(exchange)
    if not said:
        raise Undecided(f"{exchange.id} carries no text")
    if b"".join(spelt).decode("utf-8", "replace").rstrip("\ufffd") == said.rstrip("\ufffd"):
        return None
    if b"".join(spelt[:-1]).decode("utf-8", "replace") == said:
        return None
    shown = b"".join(spelt).decode("utf-8", "replace")
    return Deviation(f"the tokens of {said[:60]!r}", f"the tokens spell {shown[:60]!r}")


@check("every entry of the log probabilities fits TokenLogprob", Of.BEGUN)
def entries_fit(exchange: Exchange) -> Deviation | None:
    """Token, logprob, bytes and top_logprobs, each of its type."""
    for piece in token_logprobs.pieces(exchange):
        content = piece.get("content") if isinstance(piece, dict) else None
        for entry in content if isinstance(content, list) else []:
            for misfit in shape.misfits("TokenLogprob", entry):
                return Deviation(
                    "an entry as TokenLogprob describes it", f"{misfit.pointer}: {misfit.message}"
                )
    token_logprobs.entries(exchange)
    return None


@check("the four arrays of the log probabilities have one length", Of.BEGUN)
def same_lengths(exchange: Exchange) -> Deviation | None:
    """They run in parallel; a reader zips them."""
    found = token_logprobs.arrays(exchange)
    missing = [name for name in token_logprobs.ARRAYS if name not in found]
    if missing:
        return Deviation("four arrays", f'"{missing[0]}" is missing')
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) == 1:
        return None
    return Deviation("four arrays of one length", f"their lengths are {lengths}")


@check("no text offset is smaller than the one before", Of.BEGUN)
def offsets_rise(exchange: Exchange) -> Deviation | None:
    """Tokens stand one after the other."""
    offsets = _offsets(exchange)
    for earlier, later in pairwise(offsets):
        if later < earlier:
            return Deviation("offsets that rise", f"{later} follows {earlier}")
    if len(offsets) < 2:
        raise Undecided(f"{exchange.id} has fewer than two text offsets")
    return None


@check("the text offsets are as far apart as the tokens are long", Of.BEGUN)
def offsets_fit(exchange: Exchange) -> Deviation | None:
    """In characters, wherever the first one lies; undecided where a token is part of a character."""
    offsets = _offsets(exchange)
    tokens = [token for token in token_logprobs.arrays(exchange)["tokens"] if isinstance(token, str)]
    if len(tokens) != len(offsets) or any("\ufffd" in token or "bytes:" in token for token in tokens):
        raise Undecided(f"not every token of {exchange.id} is text of its own")
    for number, token in enumerate(tokens[:-1]):
        step = offsets[number + 1] - offsets[number]
        if step != len(token):
            return Deviation(f"an offset {len(token)} after {token!r}", f"the next one is {step} further")
    return None


def _present(exchange: Exchange, field: str) -> Deviation | None:
    if not text(exchange):
        raise Undecided(f"{exchange.id} carries no text")
    pieces = token_logprobs.pieces(exchange)
    if any(isinstance(piece, dict) and piece.get(field) for piece in pieces):
        return None
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


def _values(exchange: Exchange) -> Iterator[float]:
    if "messages" not in exchange.request.fields:
        found = token_logprobs.arrays(exchange).get("token_logprobs", [])
        yield from (value for item in found if (value := token_logprobs.number(item)) is not None)
        return
    for entry in token_logprobs.entries(exchange):
        for item in (entry, *reading.objects(entry.get("top_logprobs"))):
            value = token_logprobs.number(item.get("logprob"))
            if value is not None:
                yield value


def _tops(exchange: Exchange) -> Iterator[list[Object]]:
    """The likeliest tokens at each place; those of a completion without the map's keys."""
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
    if len(known) < len(found) or not known:
        raise Undecided(f"{exchange.id} has no text offsets")
    return known
