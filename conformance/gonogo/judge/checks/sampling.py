"""Checks on sampling parameters: accepted or refused by name, and not ignored if the text can show it."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from gonogo.judge import chance, kinds, reading
from gonogo.judge.checks.acceptance import accepted
from gonogo.judge.checks.counts import all_of_it, text
from gonogo.judge.checks.refusals import names_one, not_of_the_model
from gonogo.judge.outcome import Deviation, Kept, refused, saw, unanswered, undecided
from gonogo.judge.steps import Of, admit, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

WORDS = 30
"""The minimum length of a text that is unlikely to be sampled twice, without log probabilities.

30 words are about 40 tokens. Assume a server that drops tokens with less than a tenth of the best probability (min_p),
and a very certain model, for which only every third token has an alternative, with a third of the probability. At
temperature 2 the alternative is sampled sqrt(1/3) times as often, so that the greedy token is sampled in 63 of 100
cases. Two texts then both equal the greedy one once in 0.63 ** -26 = 160,000 runs. Without min_p, every position
samples from the whole vocabulary.
"""
UNLIKELY = 1e-4
"""The maximum probability of both samples together for a finding, if there are log probabilities."""


@check("it is accepted, or refused with the param {names}", Of.ANY)
def taken_or_named(exchange: Exchange, names: str) -> Outcome:
    """An unsupported parameter is refused by name, so that the caller can omit it; `names` are joined by " or "."""
    if accepted(exchange):
        return _taken(exchange)
    status = exchange.status
    if status is None or status in {401, 403, 429} or status >= 500:
        raise unanswered(exchange)
    not_of_the_model(exchange)
    named = names_one(exchange, tuple(names.split(" or ")))
    if isinstance(named, Kept):
        raise refused(Reason.REFUSED_BY_NAME, exchange, status=status)
    return named


def _taken(exchange: Exchange) -> Outcome:
    """Kept if the answer is of its operation's kind."""
    if kinds.of_its_kind(exchange):
        return saw(kinds.name(exchange), exchange)
    if exchange.failure is not None:
        raise unanswered(exchange)
    raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))


@compare("the text changes if the token is forced")
def forced(*exchanges: Exchange) -> Outcome:
    """No normal text begins with one repeated token; if the text begins normally, the bias was ignored."""
    greedy, biased = map(_said, exchanges)
    if not greedy.startswith(biased):
        return saw("text", *exchanges)
    return Deviation(
        "another text than without logit_bias", f"the text {biased!r} is how {greedy!r} begins without it"
    )


@compare("the last text begins like the greedy one", Of.BEGUN)
def greedy_too(first: Exchange, again: Exchange, drawn: Exchange) -> Outcome:
    """If only one token can be sampled, it is the greedy one."""
    expected = repeated(first, again)
    actual = _said(drawn).strip()
    if expected.strip().startswith(actual):
        return saw("text", first, again, drawn)
    for exchange in (first, drawn):
        all_of_it(exchange)
    return Deviation(f"a text that begins like {expected!r}", f"the text is {actual!r}")


@compare("a text at temperature 2 is not the greedy one", Of.ANY)
def drawn_at_all(greedy: Exchange, drawn: Exchange, again: Exchange, measured: Exchange) -> Outcome:
    """Two texts sampled at high temperature that both equal the greedy one were not sampled.

    They are compared with the greedy text and not with each other: a server may always use the same seed, and a cache
    may return one answer twice. The last answer shows how certain the model was, if it has log probabilities.
    """
    for exchange in (greedy, drawn, again):
        admit(exchange, Of.ACCEPTED)
    expected = _said(greedy).strip()
    for exchange in (drawn, again):
        if not _is_the_same(expected, _said(exchange).strip()):
            return saw("text that is not the greedy one", greedy, exchange)
    _expect_unlikely(expected, measured)
    return Deviation(
        "another text than at temperature 0",
        f"both texts at temperature 2 begin with {expected[:60]!r}, as at 0",
    )


@compare("the text is the same each time", Of.BEGUN)
def same_each_time(first: Exchange, again: Exchange) -> Outcome:
    """The same request at temperature 0."""
    return _other(first, again) or saw("text", first, again)


@compare("the seed gives the same text, if greedy text repeats", Of.ANSWERED)
def same_of_seed(first: Exchange, again: Exchange, drawn: Exchange, once_more: Exchange) -> Outcome:
    """If greedy text is not repeatable, the seed is not the cause."""
    for exchange in (first, again, drawn, once_more):
        if not accepted(exchange):
            raise unanswered(exchange)
    repeated(first, again)
    return _other(drawn, once_more) or saw("text", drawn, once_more)


def _is_the_same(expected: str, actual: str) -> bool:
    """Whether one text is a prefix of the other: limits may be counted differently, or an end token may be sampled."""
    return expected.startswith(actual) or actual.startswith(expected)


def _expect_unlikely(text: str, measured: Exchange) -> None:
    """Raise Stop if sampling may have produced this text twice."""
    told = chance.measured(measured) if accepted(measured) else None
    if told is not None and told * 2 > log(UNLIKELY):
        raise undecided(Reason.TOO_SURE, measured)
    words = len(text.split())
    if told is None and words < WORDS:
        raise undecided(Reason.TOO_SHORT, measured, found=words, needed=WORDS)


def _other(first: Exchange, again: Exchange) -> Deviation | None:
    """A deviation if the second text differs from the first."""
    expected, actual = _said(first), _said(again)
    if expected == actual:
        return None
    for exchange in (first, again):
        all_of_it(exchange)
    return Deviation(f"the text {expected!r}", f"the text is {actual!r}")


def repeated(first: Exchange, again: Exchange) -> str:
    """The greedy text. Raises Stop if it is not repeatable."""
    if _other(first, again) is not None:
        raise undecided(Reason.NOT_REPEATED, first, again)
    return _said(first)


def _said(exchange: Exchange) -> str:
    """The complete text. Raises Stop if there is none, such as when all of it is reasoning."""
    if exchange.is_stream:
        reading.unfailed(exchange)
    said = text(exchange)
    if not said.strip():
        raise undecided(Reason.NO_TEXT, exchange)
    return said
