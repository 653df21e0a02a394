"""Parameters of sampling: accepted or refused by name, and not ignored where that shows in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import kinds, reading
from gonogo.judge.checks.acceptance import accepted
from gonogo.judge.checks.counts import all_of_it, text
from gonogo.judge.checks.refusals import names_one, not_of_the_model
from gonogo.judge.outcome import Deviation, Kept, refused, saw, unanswered, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


@check("it is taken, or refused by the name {names}", Of.ANY)
def taken_or_named(exchange: Exchange, names: str) -> Outcome:
    """What is not supported is refused so that the caller learns what to leave out; `names` are joined by " or "."""
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
    """Kept where the answer is one of its operation."""
    if kinds.of_its_kind(exchange):
        return saw(kinds.name(exchange), exchange)
    if exchange.failure is not None:
        raise unanswered(exchange)
    raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))


@compare("the text is another with the token forced")
def forced(*exchanges: Exchange) -> Outcome:
    """Some token again and again is how no text begins; where the text begins as ever, nothing was forced."""
    greedy, biased = map(_said, exchanges)
    if not greedy.startswith(biased):
        return saw("text", *exchanges)
    return Deviation(
        "another text than without logit_bias", f"the text {biased!r} is how {greedy!r} begins without it"
    )


@compare("the last text begins like the greedy one", Of.BEGUN)
def greedy_too(first: Exchange, again: Exchange, drawn: Exchange) -> Outcome:
    """Where one token is left to draw from, it is the one that greedy sampling takes."""
    expected = _repeated(first, again)
    actual = _said(drawn).strip()
    if expected.strip().startswith(actual):
        return saw("text", first, again, drawn)
    for exchange in (first, drawn):
        all_of_it(exchange)
    return Deviation(f"a text that begins like {expected!r}", f"the text is {actual!r}")


@compare("the text is the same each time", Of.BEGUN)
def same_each_time(first: Exchange, again: Exchange) -> Outcome:
    """The same request at temperature 0."""
    return _other(first, again) or saw("text", first, again)


@compare("the seed gives the same text, where greedy text repeats", Of.ANSWERED)
def same_of_seed(first: Exchange, again: Exchange, drawn: Exchange, once_more: Exchange) -> Outcome:
    """Where greedy text does not repeat, the seed is not the reason."""
    for exchange in (first, again, drawn, once_more):
        if not accepted(exchange):
            raise unanswered(exchange)
    _repeated(first, again)
    return _other(drawn, once_more) or saw("text", drawn, once_more)


def _other(first: Exchange, again: Exchange) -> Deviation | None:
    """A deviation where the second text is not the first."""
    expected, actual = _said(first), _said(again)
    if expected == actual:
        return None
    for exchange in (first, again):
        all_of_it(exchange)
    return Deviation(f"the text {expected!r}", f"the text is {actual!r}")


def _repeated(first: Exchange, again: Exchange) -> str:
    """The greedy text; Stop where it does not repeat."""
    if _other(first, again) is not None:
        raise undecided(Reason.NOT_REPEATED, first, again)
    return _said(first)


def _said(exchange: Exchange) -> str:
    """The text to its end; Stop where there is none, as where all of it went into reasoning."""
    if exchange.is_stream:
        reading.unfailed(exchange)
    said = text(exchange)
    if not said.strip():
        raise undecided(Reason.NO_TEXT, exchange)
    return said
